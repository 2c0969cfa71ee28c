import ReconcilerEngine
package import ReconcilerTime

/// Files, folders and links by absolute path: a container's root layer, a volume, an image.
package struct FileTree: Sendable, Hashable {
    /// One file, folder or link.
    package struct Node: Sendable, Hashable {
        /// What it is.
        package enum Kind: Sendable, Hashable {
            case folder
            case file([UInt8])
            case link(String)
        }

        package var kind: Kind
        /// Permission bits.
        package var mode: UInt32
        package var uid: Int64
        package var gid: Int64
        package var modifiedAt: Timestamp

        package init(
            _ kind: Kind,
            mode: UInt32,
            uid: Int64 = 0,
            gid: Int64 = 0,
            modifiedAt: Timestamp = Timestamp(seconds: 1_600_000_000)
        ) {
            self.kind = kind
            self.mode = mode
            self.uid = uid
            self.gid = gid
            self.modifiedAt = modifiedAt
        }

        package var isFolder: Bool { kind == .folder }

        /// The content; nil for what is no file.
        package var content: [UInt8]? {
            guard case .file(let bytes) = kind else { return nil }
            return bytes
        }
    }

    /// Every node by its path; the root is always there.
    package private(set) var nodes: [String: Node]

    /// A tree with nothing but its root.
    package init() { nodes = ["/": Node(.folder, mode: 0o755)] }

    /// A tree of files with the given texts, root's and readable by all, and the folders above them.
    package init(files: [String: String]) {
        self.init()
        for (path, text) in files { self[path] = Node(.file(Array(text.utf8)), mode: 0o644) }
    }

    /// The node at a path; setting one makes the folders above it, setting nil removes what is below, too.
    package subscript(path: String) -> Node? {
        get { nodes[path] }
        set {
            guard let newValue else {
                nodes = nodes.filter { $0.key != path && !$0.key.hasPrefix(Self.below(path)) || $0.key == "/" }
                return
            }
            makeFolders(above: path, at: newValue.modifiedAt)
            nodes[path] = newValue
        }
    }

    /// Whether nothing was ever put in it.
    package var isEmpty: Bool { nodes.count == 1 }

    /// Paths of everything below a folder, sorted.
    package func paths(below folder: String) -> [String] {
        nodes.keys.filter { $0 != folder && $0.hasPrefix(Self.below(folder)) }.sorted()
    }

    /// What is at and below a folder, as a tree of its own.
    func subtree(_ folder: String) -> FileTree {
        var tree = FileTree()
        for (path, node) in nodes where path == folder || path.hasPrefix(Self.below(folder)) {
            let rest = String(path.dropFirst(folder == "/" ? 0 : folder.utf8.count))
            tree.nodes[rest.isEmpty ? "/" : rest] = node
        }
        return tree
    }

    private mutating func makeFolders(above path: String, at time: Timestamp) {
        let parent = Self.parent(path)
        guard parent != path, nodes[parent] == nil else { return }
        makeFolders(above: parent, at: time)
        nodes[parent] = Node(.folder, mode: 0o755, modifiedAt: time)
    }

    // MARK: - Paths

    static func below(_ folder: String) -> String { folder == "/" ? "/" : folder + "/" }

    static func parent(_ path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return "/" + parts.joined(separator: "/")
    }

    static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "/" }

    static func join(_ folder: String, _ name: some StringProtocol) -> String { below(folder) + name }

    /// A path without `.`, `..` and doubled slashes.
    static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
