extension HostConfig {
    /// A limit of each process.
    package struct Ulimit: Codable, Sendable, Hashable {
        /// Such as `nofile`.
        package var name: String
        /// The limit.
        package var soft: Int64
        /// The most that the process may raise it to.
        package var hard: Int64

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case soft = "Soft"
            case hard = "Hard"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
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

    /// The log driver of a container.
    package struct LogConfig: Codable, Sendable, Hashable {
        /// The driver, such as `local` or `json-file`.
        package var type: String
        /// The driver's options, such as `max-size`.
        package var options: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case type = "Type"
            case options = "Config"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
        package init(
            type: String,
            options: [String: String]? = nil
        ) {
            self.type = type
            self.options = options
        }
    }

    /// What to do when a container ends.
    package struct RestartPolicy: Codable, Sendable, Hashable {
        /// `no`, `always`, `unless-stopped` or `on-failure`; the engine also uses an empty name for `no`.
        package var name: String
        /// The most restarts, for `on-failure`.
        package var maximumRetries: Int?

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case maximumRetries = "MaximumRetryCount"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
        package init(
            name: String,
            maximumRetries: Int? = nil
        ) {
            self.name = name
            self.maximumRetries = maximumRetries
        }
    }

}
