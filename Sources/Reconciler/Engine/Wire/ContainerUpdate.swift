/// What can change on an existing container; absent values stay as they are.
package struct ContainerUpdate: Codable, Sendable, Hashable {
    /// Bytes of memory.
    package var memory: Int64?
    /// Bytes of memory and swap together; must not be less than `memory`.
    package var memorySwap: Int64?
    /// Processors, in billionths.
    package var nanoCPUs: Int64?
    /// Processes and threads.
    package var pidsLimit: Int64?
    /// The restart policy.
    package var restartPolicy: HostConfig.RestartPolicy?

    private enum CodingKeys: String, CodingKey {
        case memory = "Memory"
        case memorySwap = "MemorySwap"
        case nanoCPUs = "NanoCpus"
        case pidsLimit = "PidsLimit"
        case restartPolicy = "RestartPolicy"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        memory: Int64? = nil,
        memorySwap: Int64? = nil,
        nanoCPUs: Int64? = nil,
        pidsLimit: Int64? = nil,
        restartPolicy: HostConfig.RestartPolicy? = nil
    ) {
        self.memory = memory
        self.memorySwap = memorySwap
        self.nanoCPUs = nanoCPUs
        self.pidsLimit = pidsLimit
        self.restartPolicy = restartPolicy
    }
}
