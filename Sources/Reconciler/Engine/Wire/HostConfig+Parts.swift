extension HostConfig {
    /// A limit of each process.
    package struct Ulimit: Codable, Sendable, Hashable {
        /// Such as `nofile`.
        package var name: String
        /// The limit.
        package var soft: Int64
        /// How far the process may raise it.
        package var hard: Int64

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case soft = "Soft"
            case hard = "Hard"
        }

        /// A value with the given parts; what is left out is as an engine that says nothing of it.
        package init(
            name: String,
            soft: Int64,
            hard: Int64
        ) {
            self.name = name
            self.soft = soft
            self.hard = hard
        }
    }

    /// Where a container's output goes.
    package struct LogConfig: Codable, Sendable, Hashable {
        /// The driver, such as `local` or `json-file`.
        package var type: String
        /// The driver's options, such as `max-size`.
        package var options: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case type = "Type"
            case options = "Config"
        }

        /// A value with the given parts; what is left out is as an engine that says nothing of it.
        package init(
            type: String,
            options: [String: String]? = nil
        ) {
            self.type = type
            self.options = options
        }
    }

    /// What happens when a container ends.
    package struct RestartPolicy: Codable, Sendable, Hashable {
        /// `no`, `always`, `unless-stopped` or `on-failure`; the engine also says an empty name for `no`.
        package var name: String
        /// How often, for `on-failure`.
        package var maximumRetries: Int?

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case maximumRetries = "MaximumRetryCount"
        }

        /// A value with the given parts; what is left out is as an engine that says nothing of it.
        package init(
            name: String,
            maximumRetries: Int? = nil
        ) {
            self.name = name
            self.maximumRetries = maximumRetries
        }
    }

}
