/// The answer to `GET /_ping`, all of it in headers.
package struct EnginePing: Sendable, Hashable {
    /// The engine's newest API version, such as `1.41`; empty if it sent none.
    package var apiVersion: String
    /// `linux` or `windows`.
    package var osType: String
    /// The `Server` header, such as `Docker/20.10.24 (linux)`.
    package var server: String

    /// A ping's answer.
    package init(apiVersion: String, osType: String = "linux", server: String = "") {
        self.apiVersion = apiVersion
        self.osType = osType
        self.server = server
    }
}
