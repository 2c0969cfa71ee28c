/// How to build an image with the classic builder.
package struct BuildOptions: Sendable, Hashable {
    /// The image's tags.
    package var tags: [String]
    /// The Dockerfile's path in the context.
    package var dockerfile: String
    /// The image's labels.
    package var labels: [String: String]
    /// Values for `ARG`s, which stay in the image's history.
    package var arguments: [String: String]
    /// The network of `RUN` steps; the engine's default if absent.
    package var networkMode: String?
    /// Whether to ignore the build cache.
    package var noCache: Bool
    /// Whether to ask the registry for a newer base.
    package var pull: Bool
    /// The stage to stop at.
    package var target: String?
    /// Bytes of memory for each step.
    package var memory: Int64?
    /// Bytes of memory and swap for each step.
    package var memorySwap: Int64?
    /// Thousandths of a processor for each step.
    package var milliCPUs: Int?
    /// The most bytes of a file that a step writes.
    package var fileSize: Int64?
    /// Lines for /etc/hosts during the build, as `name:address`.
    package var extraHosts: [String]

    /// Options; the engine always removes the steps' containers, even after a failure.
    package init(
        tags: [String],
        dockerfile: String = "Dockerfile",
        labels: [String: String] = [:],
        arguments: [String: String] = [:],
        networkMode: String? = nil,
        noCache: Bool = false,
        pull: Bool = false,
        target: String? = nil,
        memory: Int64? = nil,
        memorySwap: Int64? = nil,
        milliCPUs: Int? = nil,
        fileSize: Int64? = nil,
        extraHosts: [String] = []
    ) {
        self.tags = tags
        self.dockerfile = dockerfile
        self.labels = labels
        self.arguments = arguments
        self.networkMode = networkMode
        self.noCache = noCache
        self.pull = pull
        self.target = target
        self.memory = memory
        self.memorySwap = memorySwap
        self.milliCPUs = milliCPUs
        self.fileSize = fileSize
        self.extraHosts = extraHosts
    }
}
