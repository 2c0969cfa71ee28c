import Crypto
import ReconcilerModel

/// One answer of `git cat-file --batch`.
struct GitObject: Sendable, Hashable {
    let id: String
    let kind: String
    let bytes: [UInt8]

    /// Reads the answers to `count` requests, in their order; nil for an object that is missing.
    ///
    /// - Returns: nil when the output is not that of a whole run.
    static func parse(_ output: [UInt8], count: Int) -> [GitObject?]? {
        var objects: [GitObject?] = []
        var rest = output[...]
        while objects.count < count {
            guard let newline = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let words = String(decoding: rest[..<newline], as: UTF8.self).split(separator: " ")
            rest = rest[(newline + 1)...]
            if words.last == "missing" {
                objects.append(nil)
                continue
            }
            guard words.count == 3, let size = Int(words[2]), size >= 0, rest.count > size else { return nil }
            let end = rest.startIndex + size
            objects.append(GitObject(id: String(words[0]), kind: String(words[1]), bytes: Array(rest[..<end])))
            rest = rest[(end + 1)...]
        }
        return rest.isEmpty ? objects : nil
    }

    /// The id git gives a file with this content.
    ///
    /// - Parameter example: any id of the repository; its length says which hash it uses.
    static func blobID(of bytes: [UInt8], like example: String) -> String {
        let header = Array("blob \(bytes.count)\0".utf8)
        guard example.utf8.count == 40 else { return ContentDigest(of: header + bytes).hex }
        return ContentDigest.hexadecimal(Insecure.SHA1.hash(data: header + bytes))
    }
}

/// One file in a commit.
struct GitEntry: Sendable, Hashable {
    let mode: String
    let kind: String
    let id: String
    let path: String

    /// Reads the output of `git ls-tree -r -z`; nil when it is something else.
    static func parse(_ output: [UInt8]) -> [GitEntry]? {
        var entries: [GitEntry] = []
        for record in output.split(separator: 0) {
            let text = String(decoding: record, as: UTF8.self)
            guard let tab = text.firstIndex(of: "\t") else { return nil }
            let words = text[..<tab].split(separator: " ")
            guard words.count == 3 else { return nil }
            entries.append(
                GitEntry(
                    mode: String(words[0]),
                    kind: String(words[1]),
                    id: String(words[2]),
                    path: String(text[text.index(after: tab)...])
                )
            )
        }
        return entries
    }

    /// Reads the content of a tree object, one level deep; nil when it is something else.
    ///
    /// - Parameter example: any id of the repository; its length says how long ids are.
    static func parse(tree: [UInt8], like example: String) -> [GitEntry]? {
        let length = example.utf8.count / 2
        var entries: [GitEntry] = []
        var rest = tree[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 32), let end = rest.firstIndex(of: 0), space < end,
                rest.endIndex - end > length
            else { return nil }
            let mode = String(decoding: rest[..<space], as: UTF8.self)
            entries.append(
                GitEntry(
                    mode: mode,
                    kind: mode == "40000" ? "tree" : mode.hasPrefix("100") ? "blob" : "other",
                    id: ContentDigest.hexadecimal(rest[(end + 1)...(end + length)]),
                    path: String(decoding: rest[(space + 1)..<end], as: UTF8.self)
                )
            )
            rest = rest[(end + length + 1)...]
        }
        return entries
    }
}
