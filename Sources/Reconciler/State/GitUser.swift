import ReconcilerModel
import ReconcilerPlatform

/// What a user's git configuration says of them: their name, and how they sign.
struct GitUser: Sendable, Hashable {
    var name: String?
    var email: String?
    /// Whether commits are to be signed.
    var signs = false
    /// `user.signingkey` and everything below `gpg.`, as git takes it.
    var signing: [String: String] = [:]

    init() {}

    /// Reads `git config --null --show-scope --get-regexp`.
    ///
    /// How to sign is the user's to say, not the repository's: that would be a program it names.
    init(configuration: [UInt8]) {
        let fields = configuration.split(separator: 0, omittingEmptySubsequences: false)
        for (scope, entry) in zip(fields, fields.dropFirst()).enumerated().filter({ $0.offset % 2 == 0 }).map(\.element)
        {
            let isOwn = ["global", "system"].contains(String(decoding: scope, as: UTF8.self))
            let text = String(decoding: entry, as: UTF8.self)
            let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // A key without a value is true.
            let value = parts.count > 1 ? parts[1] : nil
            switch parts[0] {
            case "user.name": name = value
            case "user.email": email = value
            case "commit.gpgsign" where isOwn:
                signs = value.map { ["true", "yes", "on", "1"].contains($0.lowercased()) } ?? true
            case let key where isOwn: signing[key] = value
            default: break
            }
        }
    }

    /// Who is named by a commit of this user: as their git knows them, else login and host.
    var author: Author {
        let login = UserEntry.current?.login ?? "unknown"
        return Author(name: name ?? login, email: email ?? "\(login)@\(HostName.current)")
    }
}
