import ReconcilerTime

/// What a commit says of itself.
package struct RevisionDetails: Sendable, Hashable {
    package var revision: Revision
    package var author: Author
    /// When it was made, as RFC 3339 in UTC; empty when the commit names no time.
    package var time: String
    package var message: String
    /// Whether it carries a signature; that it is a good one is for `git verify-commit` to say.
    package var isSigned: Bool

    /// Reads a commit object.
    ///
    /// - Returns: nil for bytes that are none.
    package init?(_ revision: Revision, commit: [UInt8]) {
        let lines = String(decoding: commit, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard let end = lines.firstIndex(of: "") else { return nil }
        var author: Author?
        var time = ""
        var isSigned = false
        for line in lines[..<end] {
            if line.hasPrefix("gpgsig") { isSigned = true }
            guard author == nil, line.hasPrefix("author ") else { continue }
            // `author NAME <EMAIL> SECONDS ZONE`; a name holds no angle bracket.
            let rest = line.dropFirst("author ".count)
            guard let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") else { return nil }
            let name = rest[..<open].last == " " ? rest[..<open].dropLast() : rest[..<open]
            author = Author(name: String(name), email: String(rest[rest.index(after: open)..<close]))
            let words = rest[rest.index(after: close)...].split(separator: " ")
            time = words.first.flatMap { Int64($0) }.map { Timestamp(seconds: $0).description } ?? ""
        }
        guard let author else { return nil }
        self.revision = revision
        self.author = author
        self.time = time
        self.isSigned = isSigned
        let body = lines[(end + 1)...]
        message = body.prefix(upTo: body.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? body.startIndex)
            .joined(separator: "\n")
    }
}
