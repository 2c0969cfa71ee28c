/// A container's grants and restrictions; absent values are left out of the request.
package struct HostConfig: Codable, Sendable, Hashable {
    /// `none`, `bridge`, or a network's name or id.
    package var networkMode: String?
    /// Whether an init process runs as PID 1, which reaps children and forwards signals.
    package var initProcess: Bool?
    /// The runtime; the engine's default if absent.
    package var runtime: String?
    /// Capabilities to drop; `ALL` drops all.
    package var dropCapabilities: [String]?
    /// Capabilities to add.
    package var addCapabilities: [String]?
    /// Such as `no-new-privileges:true`.
    package var securityOptions: [String]?
    /// Whether it is privileged, without restrictions.
    package var isPrivileged: Bool?
    /// Whether the root file system is read-only.
    package var readOnlyRoot: Bool?
    /// Bytes of memory; 0 is no limit.
    package var memory: Int64?
    /// Bytes of memory and swap together; equal to `memory` for no swap, -1 for no limit.
    package var memorySwap: Int64?
    /// Processors, in billionths; 0 is no limit.
    package var nanoCPUs: Int64?
    /// Processes and threads; 0 and -1 are no limit.
    package var pidsLimit: Int64?
    /// Limits of each process.
    package var ulimits: [Ulimit]?
    /// The kernel's preference to kill it when memory runs out.
    package var oomScoreAdjustment: Int?
    /// Bytes of /dev/shm.
    package var sharedMemory: Int64?
    /// Its log driver; the default driver's logs grow without limit.
    package var logging: LogConfig?
    /// What to do when it ends.
    package var restartPolicy: RestartPolicy?
    /// Volumes, binds and memory file systems.
    package var mounts: [Mount]?
    /// Mounts in the short form, `source:target:options`.
    package var binds: [String]?
    /// Memory file systems by path, with mount options.
    package var tmpfs: [String: String]?
    /// Name servers.
    package var dns: [String]?
    /// Resolver options, such as `timeout:1`.
    package var dnsOptions: [String]?
    /// Search domains; `.` alone means none.
    package var dnsSearch: [String]?
    /// Lines for /etc/hosts, as `name:address`.
    package var extraHosts: [String]?
    /// Additional groups of the process.
    package var addGroups: [String]?
    /// Kernel parameters of its namespaces.
    package var sysctls: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case networkMode = "NetworkMode"
        case initProcess = "Init"
        case runtime = "Runtime"
        case dropCapabilities = "CapDrop"
        case addCapabilities = "CapAdd"
        case securityOptions = "SecurityOpt"
        case isPrivileged = "Privileged"
        case readOnlyRoot = "ReadonlyRootfs"
        case memory = "Memory"
        case memorySwap = "MemorySwap"
        case nanoCPUs = "NanoCpus"
        case pidsLimit = "PidsLimit"
        case ulimits = "Ulimits"
        case oomScoreAdjustment = "OomScoreAdj"
        case sharedMemory = "ShmSize"
        case logging = "LogConfig"
        case restartPolicy = "RestartPolicy"
        case mounts = "Mounts"
        case binds = "Binds"
        case tmpfs = "Tmpfs"
        case dns = "Dns"
        case dnsOptions = "DnsOptions"
        case dnsSearch = "DnsSearch"
        case extraHosts = "ExtraHosts"
        case addGroups = "GroupAdd"
        case sysctls = "Sysctls"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        networkMode: String? = nil,
        initProcess: Bool? = nil,
        runtime: String? = nil,
        dropCapabilities: [String]? = nil,
        addCapabilities: [String]? = nil,
        securityOptions: [String]? = nil,
        isPrivileged: Bool? = nil,
        readOnlyRoot: Bool? = nil,
        memory: Int64? = nil,
        memorySwap: Int64? = nil,
        nanoCPUs: Int64? = nil,
        pidsLimit: Int64? = nil,
        ulimits: [Ulimit]? = nil,
        oomScoreAdjustment: Int? = nil,
        sharedMemory: Int64? = nil,
        logging: LogConfig? = nil,
        restartPolicy: RestartPolicy? = nil,
        mounts: [Mount]? = nil,
        binds: [String]? = nil,
        tmpfs: [String: String]? = nil,
        dns: [String]? = nil,
        dnsOptions: [String]? = nil,
        dnsSearch: [String]? = nil,
        extraHosts: [String]? = nil,
        addGroups: [String]? = nil,
        sysctls: [String: String]? = nil
    ) {
        self.networkMode = networkMode
        self.initProcess = initProcess
        self.runtime = runtime
        self.dropCapabilities = dropCapabilities
        self.addCapabilities = addCapabilities
        self.securityOptions = securityOptions
        self.isPrivileged = isPrivileged
        self.readOnlyRoot = readOnlyRoot
        self.memory = memory
        self.memorySwap = memorySwap
        self.nanoCPUs = nanoCPUs
        self.pidsLimit = pidsLimit
        self.ulimits = ulimits
        self.oomScoreAdjustment = oomScoreAdjustment
        self.sharedMemory = sharedMemory
        self.logging = logging
        self.restartPolicy = restartPolicy
        self.mounts = mounts
        self.binds = binds
        self.tmpfs = tmpfs
        self.dns = dns
        self.dnsOptions = dnsOptions
        self.dnsSearch = dnsSearch
        self.extraHosts = extraHosts
        self.addGroups = addGroups
        self.sysctls = sysctls
    }
}
