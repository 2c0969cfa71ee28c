/// The engine's resources and features (`GET /info`; it forks processes: don't call it in a loop).
package struct EngineInfo: Codable, Sendable, Hashable {
    /// The engine's own id.
    package var id: String
    /// The host name.
    package var name: String
    /// The engine's version.
    package var serverVersion: String
    /// The operating system in words.
    package var operatingSystem: String
    /// `linux` or `windows`.
    package var osType: String
    /// The processor architecture, in the kernel's words: `x86_64`.
    package var architecture: String
    /// The kernel's version.
    package var kernelVersion: String
    /// The number of processors.
    package var cpus: Int
    /// Bytes of memory.
    package var memory: Int64
    /// The storage driver, such as `overlay2`.
    package var storageDriver: String
    /// The folder of the engine's data.
    package var rootFolder: String
    /// The container runtimes by name.
    package var runtimes: [String: Runtime]
    /// The default runtime.
    package var defaultRuntime: String
    /// Such as `name=seccomp,profile=default`, `name=userns`, `name=rootless`.
    package var securityOptions: [String]
    /// `cgroupfs`, `systemd` or `none`.
    package var cgroupDriver: String
    /// `1` or `2`.
    package var cgroupVersion: String
    /// Whether memory limits work.
    package var limitsMemory: Bool
    /// Whether limits on the number of processes work.
    package var limitsProcesses: Bool
    /// Whether processor limits work.
    package var limitsCPU: Bool
    /// Whether containers survive a restart of the engine.
    package var liveRestore: Bool
    /// The pools for subnets of networks without an explicit one; empty for the built-in pools.
    package var addressPools: [AddressPool]
    /// The engine's warnings.
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case serverVersion = "ServerVersion"
        case operatingSystem = "OperatingSystem"
        case osType = "OSType"
        case architecture = "Architecture"
        case kernelVersion = "KernelVersion"
        case cpus = "NCPU"
        case memory = "MemTotal"
        case storageDriver = "Driver"
        case rootFolder = "DockerRootDir"
        case runtimes = "Runtimes"
        case defaultRuntime = "DefaultRuntime"
        case securityOptions = "SecurityOptions"
        case cgroupDriver = "CgroupDriver"
        case cgroupVersion = "CgroupVersion"
        case limitsMemory = "MemoryLimit"
        case limitsProcesses = "PidsLimit"
        case limitsCPU = "CpuCfsQuota"
        case liveRestore = "LiveRestoreEnabled"
        case addressPools = "DefaultAddressPools"
        case warnings = "Warnings"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        id: String,
        name: String = "",
        serverVersion: String = "",
        operatingSystem: String = "",
        osType: String = "",
        architecture: String = "",
        kernelVersion: String = "",
        cpus: Int = 0,
        memory: Int64 = 0,
        storageDriver: String = "",
        rootFolder: String = "",
        runtimes: [String: Runtime] = [:],
        defaultRuntime: String = "",
        securityOptions: [String] = [],
        cgroupDriver: String = "",
        cgroupVersion: String = "",
        limitsMemory: Bool = false,
        limitsProcesses: Bool = false,
        limitsCPU: Bool = false,
        liveRestore: Bool = false,
        addressPools: [AddressPool] = [],
        warnings: [String] = []
    ) {
        self.id = id
        self.name = name
        self.serverVersion = serverVersion
        self.operatingSystem = operatingSystem
        self.osType = osType
        self.architecture = architecture
        self.kernelVersion = kernelVersion
        self.cpus = cpus
        self.memory = memory
        self.storageDriver = storageDriver
        self.rootFolder = rootFolder
        self.runtimes = runtimes
        self.defaultRuntime = defaultRuntime
        self.securityOptions = securityOptions
        self.cgroupDriver = cgroupDriver
        self.cgroupVersion = cgroupVersion
        self.limitsMemory = limitsMemory
        self.limitsProcesses = limitsProcesses
        self.limitsCPU = limitsCPU
        self.liveRestore = liveRestore
        self.addressPools = addressPools
        self.warnings = warnings
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        name = try values.decode(.name, or: "")
        serverVersion = try values.decode(.serverVersion, or: "")
        operatingSystem = try values.decode(.operatingSystem, or: "")
        osType = try values.decode(.osType, or: "")
        architecture = try values.decode(.architecture, or: "")
        kernelVersion = try values.decode(.kernelVersion, or: "")
        cpus = try values.decode(.cpus, or: 0)
        memory = try values.decode(.memory, or: 0)
        storageDriver = try values.decode(.storageDriver, or: "")
        rootFolder = try values.decode(.rootFolder, or: "")
        runtimes = try values.decode(.runtimes, or: [:])
        defaultRuntime = try values.decode(.defaultRuntime, or: "")
        securityOptions = try values.decode(.securityOptions, or: [])
        cgroupDriver = try values.decode(.cgroupDriver, or: "")
        cgroupVersion = try values.decode(.cgroupVersion, or: "")
        limitsMemory = try values.decode(.limitsMemory, or: false)
        limitsProcesses = try values.decode(.limitsProcesses, or: false)
        limitsCPU = try values.decode(.limitsCPU, or: false)
        liveRestore = try values.decode(.liveRestore, or: false)
        addressPools = try values.decode(.addressPools, or: [])
        warnings = try values.decode(.warnings, or: [])
    }

    /// One container runtime.
    package struct Runtime: Codable, Sendable, Hashable {
        /// The executable; absent for containerd shims.
        package var path: String?

        /// A runtime with its executable.
        package init(path: String? = nil) {
            self.path = path
        }
    }

    /// A range of addresses that the engine divides into subnets.
    package struct AddressPool: Codable, Sendable, Hashable {
        /// The range, as CIDR.
        package var base: String
        /// The prefix length of each subnet.
        package var size: Int

        private enum CodingKeys: String, CodingKey {
            case base = "Base"
            case size = "Size"
        }

        /// A pool that is divided into subnets of `size`.
        package init(base: String, size: Int) {
            self.base = base
            self.size = size
        }
    }
}
