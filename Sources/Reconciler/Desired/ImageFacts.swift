/// Facts of an image that a container of it is rendered from.
package struct ImageFacts: Sendable, Hashable, Codable {
    package struct Account: Sendable, Hashable, Codable {
        package var name: String
        package var uid: Int
        package var gid: Int
        package var home: String

        package init(name: String, uid: Int, gid: Int, home: String) {
            self.name = name
            self.uid = uid
            self.gid = gid
            self.home = home
        }
    }

    package var id: String
    /// The default user; empty: root.
    package var user: String
    package var labels: [String: String]
    package var accounts: [Account]
    /// The certificates it trusts, in PEM form; nil when it has none.
    package var roots: String?

    package init(id: String, user: String, labels: [String: String], accounts: [Account], roots: String?) {
        self.id = id
        self.user = user
        self.labels = labels
        self.accounts = accounts
        self.roots = roots
    }

    /// The account that `user` (name, uid, or either with `:group`) names; nil when /etc/passwd has none.
    package func account(_ user: String) -> Account? {
        let name = user.split(separator: ":").first.map(String.init) ?? "root"
        if let uid = Int(name) { return accounts.first { $0.uid == uid } }
        return accounts.first { $0.name == name }
    }

    /// The numbers that a process of `user` has, in the forms that `account` takes; nil for an unknown name.
    ///
    /// The engine gives a number without an account the group 0. A group's name isn't looked up; the account's own
    /// group is used instead.
    package func owner(_ user: String) -> FileOwner? {
        let parts = user.split(separator: ":", maxSplits: 1).map(String.init)
        let account = account(user)
        guard let id = account?.uid ?? parts.first.map({ Int($0) }) ?? 0, id >= 0 else { return nil }
        let group = parts.count == 2 ? Int(parts[1]) ?? account?.gid : account?.gid
        return FileOwner(user: id, group: max(0, group ?? 0))
    }

    /// Reads the lines of an /etc/passwd; lines that aren't accounts are left out.
    package static func accounts(passwd text: String) -> [Account] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 6, let uid = Int(fields[2]), let gid = Int(fields[3]) else { return nil }
            return Account(name: fields[0], uid: uid, gid: gid, home: fields[5])
        }
    }
}
