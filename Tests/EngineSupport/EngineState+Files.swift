import ReconcilerEngine
import ReconcilerTime

/// Where in which tree a container's path leads.
struct Place: Sendable, Hashable {
    enum Tree: Sendable, Hashable {
        case root
        case volume(String)
        case memory(target: String)
        case host(String)
    }

    let container: String
    let tree: Tree
    /// The path in the tree.
    let path: String
    /// The path in the container, free of links.
    let inside: String
}

extension EngineState {
    /// Who looks: the archive endpoints don't see memory file systems.
    enum Viewer: Sendable { case program, archive }

    /// Finds where a path leads.
    ///
    /// - Parameter followsLast: whether a link at the very end is followed.
    /// - Throws: 500 for a path through a file or links in a circle. What is missing has a place, but no node; a path
    ///   below something missing has none: nil.
    func locate(
        _ path: String,
        in id: String,
        as viewer: Viewer,
        followsLast: Bool
    ) throws(EngineError) -> Place? {
        var rest = Array(FileTree.normal(path).split(separator: "/").map(String.init).reversed())
        var current = "/"
        var links = 0
        while let part = rest.popLast() {
            if part == ".." {
                current = FileTree.parent(current)
                continue
            }
            let here = place(FileTree.join(current, part), in: id, as: viewer)
            let found = node(here)
            if case .link(let target) = found?.kind, !rest.isEmpty || followsLast {
                links += 1
                guard links <= 100 else {
                    throw Self.refusal(500, "too many links in \(path)")
                }
                if target.hasPrefix("/") { current = "/" }
                rest += target.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
                continue
            }
            if found == nil, !rest.isEmpty { return nil }
            if let found, !found.isFolder, !rest.isEmpty {
                throw Self.refusal(500, "\(here.inside): not a directory")
            }
            current = here.inside
        }
        return place(current, in: id, as: viewer)
    }

    /// The tree that holds a path that is free of links.
    private func place(_ path: String, in id: String, as viewer: Viewer) -> Place {
        let container = containers[id]
        var targets = container?.mounts.filter { viewer == .program || $0.type != .tmpfs } ?? []
        if viewer == .program {
            targets += (container?.memory.keys.sorted() ?? []).map { Mount(type: .tmpfs, target: $0) }
        }
        let held = targets.filter { path == $0.target || path.hasPrefix(FileTree.below($0.target)) }
        guard let mount = held.max(by: { $0.target.utf8.count < $1.target.utf8.count }) else {
            return Place(container: id, tree: .root, path: path, inside: path)
        }
        let below = FileTree.normal(String(path.dropFirst(mount.target.utf8.count)))
        switch mount.type {
        case .volume:
            return Place(container: id, tree: .volume(mount.source ?? ""), path: below, inside: path)
        case .tmpfs: return Place(container: id, tree: .memory(target: mount.target), path: below, inside: path)
        case .bind:
            let source = mount.source ?? "/"
            let outside = below == "/" ? source : FileTree.normal("\(source)\(below)")
            return Place(container: id, tree: .host(source), path: outside, inside: path)
        }
    }

    func node(_ place: Place) -> FileTree.Node? { tree(place)?[place.path] }

    private func tree(_ place: Place) -> FileTree? {
        switch place.tree {
        case .root: containers[place.container]?.root
        case .volume(let name): volumes[name]?.files
        case .memory(let target): containers[place.container]?.memory[target]
        case .host: host
        }
    }

    mutating func write(_ node: FileTree.Node?, _ place: Place) {
        switch place.tree {
        case .root: containers[place.container]?.root[place.path] = node
        case .volume(let name): volumes[name]?.files[place.path] = node
        case .memory(let target): containers[place.container]?.memory[target]?[place.path] = node
        case .host: host[place.path] = node
        }
    }

    /// Puts a node at a path whose folder is there; false when it is not.
    @discardableResult
    mutating func set(_ node: FileTree.Node?, at path: String, in id: String, as viewer: Viewer) -> Bool {
        guard let found = try? locate(path, in: id, as: viewer, followsLast: false) else { return false }
        write(node, found)
        return true
    }

    /// Whether something can be written at a path: a read-only root and read-only mounts can't be.
    func isWritable(_ path: String, in id: String, as viewer: Viewer) -> Bool {
        guard let container = containers[id],
            let place = try? locate(path, in: id, as: viewer, followsLast: false)
        else { return false }
        let mount = container.mounts.filter {
            place.inside == $0.target || place.inside.hasPrefix(FileTree.below($0.target))
        }.max { $0.target.utf8.count < $1.target.utf8.count }
        if let mount { return mount.isReadOnly != true }
        if viewer == .program, case .memory = place.tree { return true }
        return container.hostConfig.readOnlyRoot != true
    }

    // MARK: - The archive endpoints

    /// Looks at a path, as HEAD does.
    mutating func stat(_ reference: String, _ path: String) throws(EngineError) -> PathStat? {
        let container = try find(reference)
        tellMounts(of: container)
        guard let place = try locate(path, in: container.id, as: .archive, followsLast: false), let node = node(place)
        else { return nil }
        let name = FileTree.name(place.inside)
        let now = Timestamp(seconds: clock.seconds)
        switch node.kind {
        case .folder:
            return PathStat(
                name: name,
                size: 4096,
                mode: node.mode | PathStat.folderBit,
                modifiedAt: node.modifiedAt,
                seenAt: now
            )
        case .file(let bytes):
            return PathStat(
                name: name,
                size: Int64(bytes.count),
                mode: node.mode,
                modifiedAt: node.modifiedAt,
                seenAt: now
            )
        case .link(let target):
            let absolute = target.hasPrefix("/") ? target : "\(FileTree.parent(place.inside))/\(target)"
            return PathStat(
                name: name,
                size: Int64(target.utf8.count),
                mode: 0o777 | PathStat.linkBit,
                modifiedAt: node.modifiedAt,
                linkTarget: FileTree.normal(absolute),
                seenAt: now
            )
        }
    }

    /// Reads a file or folder, as GET does.
    mutating func archive(_ reference: String, _ path: String) throws(EngineError) -> [UInt8] {
        let container = try find(reference)
        tellMounts(of: container)
        tell("archive-path", of: container)
        guard let place = try locate(path, in: container.id, as: .archive, followsLast: false), node(place) != nil,
            let tree = tree(place)
        else { throw Self.missing(path, container) }
        var writer = TarWriter()
        for found in [place.path] + tree.paths(below: place.path) {
            guard let node = tree[found] else { continue }
            let rest = found == place.path ? "" : String(found.dropFirst(FileTree.below(place.path).utf8.count))
            let name = [FileTree.name(place.inside), rest].filter { !$0.isEmpty && $0 != "/" }.joined(separator: "/")
            guard !name.isEmpty else { continue }
            let kind: TarEntry.Kind =
                switch node.kind {
                case .folder: .folder
                case .file: .file
                case .link(let target): .symbolicLink(target: target)
                }
            let entry = TarEntry(
                path: name,
                kind: kind,
                mode: node.mode,
                uid: node.uid,
                gid: node.gid,
                modifiedAt: node.modifiedAt
            )
            try writer.add(entry, content: node.content ?? [])
        }
        return writer.finish()
    }

    static func missing(_ path: String, _ container: MemoryContainer) -> EngineError {
        refusal(404, "Could not find the file \(path) in container \(container.id)")
    }

    /// Checks that an archive may be unpacked at a path, and gives the folder, free of links.
    mutating func beginUnpacking(_ reference: String, at path: String) throws(EngineError) -> (
        id: String, folder: String
    ) {
        let container = try find(reference)
        tellMounts(of: container)
        guard let place = try locate(path, in: container.id, as: .archive, followsLast: true), let node = node(place)
        else { throw Self.missing(path, container) }
        guard node.isFolder else { throw Self.refusal(500, "extraction point is not a directory") }
        guard isWritable(place.inside, in: container.id, as: .archive) else {
            throw Self.refusal(500, "container rootfs is marked read-only")
        }
        return (container.id, place.inside)
    }

    /// Puts one entry of an archive below a folder; a file with what there is of its content so far.
    mutating func unpack(
        _ entry: TarEntry,
        content: [UInt8],
        isWhole: Bool,
        below folder: String,
        in id: String,
        _ options: PutArchiveOptions
    ) throws(EngineError) {
        // The folder that is unpacked in keeps what it is.
        guard !entry.path.isEmpty, containers[id] != nil else { return }
        let path = FileTree.normal("\(folder)/\(entry.path)")
        try makeFolders(above: path, in: id)
        guard let place = try locate(path, in: id, as: .archive, followsLast: false) else { return }
        let old = node(place)
        let isFolder = entry.kind == .folder
        if let old, old.isFolder != isFolder {
            guard !options.keepKinds else {
                let kinds = isFolder ? ("non-directory", "directory") : ("directory", "non-directory")
                throw Self.refusal(
                    500,
                    "Error processing tar file(exit status 1): cannot overwrite \(kinds.0) \"\(path)\" with \(kinds.1) \"\(folder)\""
                )
            }
            write(nil, place)
        }
        if !isFolder, containers[id]?.mounts.contains(where: { $0.target == place.inside }) == true {
            throw Self.refusal(
                500,
                "Error processing tar file(exit status 1): unlinkat \(place.inside): device or resource busy"
            )
        }
        let kind: FileTree.Node.Kind
        switch entry.kind {
        case .folder: kind = .folder
        case .file: kind = .file(content)
        case .symbolicLink(let target): kind = .link(target)
        case .hardLink, .other: return
        }
        let owner = owner(of: entry, in: id, options)
        write(
            FileTree.Node(
                kind,
                mode: entry.mode,
                uid: owner.uid,
                gid: owner.gid,
                // The engine sets the time last.
                modifiedAt: isWhole ? entry.modifiedAt : clock
            ),
            place
        )
    }

    private func owner(
        of entry: TarEntry,
        in id: String,
        _ options: PutArchiveOptions
    ) -> (uid: Int64, gid: Int64) {
        guard options.copyOwner, let user = containers[id]?.config.user, !user.isEmpty else {
            return (entry.uid, entry.gid)
        }
        let parts = user.split(separator: ":").map { Int64($0) ?? 0 }
        return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0)
    }

    private mutating func makeFolders(above path: String, in id: String) throws(EngineError) {
        let parent = FileTree.parent(path)
        guard parent != "/" else { return }
        if let place = try locate(parent, in: id, as: .archive, followsLast: true), node(place) != nil { return }
        try makeFolders(above: parent, in: id)
        if let place = try locate(parent, in: id, as: .archive, followsLast: false) {
            write(FileTree.Node(.folder, mode: 0o755, modifiedAt: clock), place)
        }
    }

    /// Every look into a container mounts its volumes for a moment, and says so.
    private mutating func tellMounts(of container: MemoryContainer) {
        let names = container.mounts.filter { $0.type == .volume }.compactMap(\.source)
        for name in names { tell("volume", "mount", name, ["container": container.id, "driver": "local"]) }
        for name in names { tell("volume", "unmount", name, ["container": container.id, "driver": "local"]) }
    }
}
