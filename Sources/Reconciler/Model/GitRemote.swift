/// A repository that the git gate serves as `/<name>.git`.
package struct GitRemote: Sendable, Hashable {
    package var name: String
    package var upstream: String
    package var identityFile: String
    package var knownHostKey: String?
    /// Ref patterns that may be pushed; empty: heads and tags.
    package var refs: [String]
    package var extraHosts: [String: IPv4Address]
    /// Path patterns of files that may hold what the scanner can't inspect.
    package var allowBinary: [String]

    package init(
        name: String,
        upstream: String,
        identityFile: String,
        knownHostKey: String? = nil,
        refs: [String] = [],
        extraHosts: [String: IPv4Address] = [:],
        allowBinary: [String] = []
    ) {
        self.name = name
        self.upstream = upstream
        self.identityFile = identityFile
        self.knownHostKey = knownHostKey
        self.refs = refs
        self.extraHosts = extraHosts
        self.allowBinary = allowBinary
    }
}
