/// The engine's version and platform (`GET /version`; it forks processes: don't call it in a loop).
package struct EngineVersion: Codable, Sendable, Hashable {
    /// The engine's own version, such as `20.10.24`.
    package var version: String
    /// Its newest API version.
    package var apiVersion: String
    /// Its oldest API version.
    package var minimumAPIVersion: String
    /// Its operating system, such as `linux`.
    package var os: String
    /// Its processor architecture, in Go's words: `amd64`.
    package var architecture: String
    /// The kernel's version.
    package var kernelVersion: String

    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case apiVersion = "ApiVersion"
        case minimumAPIVersion = "MinAPIVersion"
        case os = "Os"
        case architecture = "Arch"
        case kernelVersion = "KernelVersion"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        version: String,
        apiVersion: String = "",
        minimumAPIVersion: String = "",
        os: String = "",
        architecture: String = "",
        kernelVersion: String = ""
    ) {
        self.version = version
        self.apiVersion = apiVersion
        self.minimumAPIVersion = minimumAPIVersion
        self.os = os
        self.architecture = architecture
        self.kernelVersion = kernelVersion
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        version = try values.decode(String.self, forKey: .version)
        apiVersion = try values.decode(.apiVersion, or: "")
        minimumAPIVersion = try values.decode(.minimumAPIVersion, or: "")
        os = try values.decode(.os, or: "")
        architecture = try values.decode(.architecture, or: "")
        kernelVersion = try values.decode(.kernelVersion, or: "")
    }
}
