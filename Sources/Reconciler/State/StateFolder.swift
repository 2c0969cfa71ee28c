package import ReconcilerModel
package import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The folder where one installation of bottle keeps all it knows (SPEC 10).
///
/// It belongs to one user, and no other user may write in it; both are checked each time it is opened.
package struct StateFolder: Sendable, Hashable {
    /// Absolute, without symbolic links: a link that is changed later changes nothing here.
    package let path: String
    /// Random id of this folder, made once: 32 hexadecimal digits.
    ///
    /// Labels carry it, so that two users of an engine never touch each other's objects.
    package let installation: InstallationID

    /// The desired-state repository's work tree.
    package var desired: String { "\(path)/desired" }
    /// One folder a bottle, with `in/` and `out/`, for proposals.
    package var queue: String { "\(path)/queue" }
    package func queue(of bottle: Identity) -> String { "\(queue)/\(bottle.name)" }

    /// What of this machine the bottle's supervise sidecar works on.
    package func supervision(of bottle: Identity) -> Supervision { Self.supervision(of: bottle, in: path) }

    /// The same, for a folder that need not be there yet.
    package static func supervision(of bottle: Identity, in path: String) -> Supervision {
        Supervision(queue: "\(path)/queue/\(bottle.name)", user: "\(getuid()):\(getgid())")
    }

    package var sessions: String { "\(path)/sessions" }
    /// Certificate authorities and the fingerprint key.
    package var trust: String { "\(path)/trust" }
    /// What we made on the engine, a file a bottle.
    package var records: String { "\(path)/records" }
    package var status: String { "\(path)/status" }
    /// Stored build contexts, by digest.
    package var contexts: String { "\(path)/contexts" }
    package var locks: String { "\(path)/locks" }
    package var images: String { "\(path)/images" }
    /// What sidecars refused, a file a bottle.
    package var refusals: String { "\(path)/refusals" }
    /// Texts that operators are editing, and those that they gave up.
    package var edits: String { "\(path)/edits" }
    package var auditLog: String { "\(path)/audit.jsonl" }
    package var controlSocket: String { "\(path)/control.sock" }

    /// What a bottle's sidecars refused: lines of JSON.
    package func refusals(of bottle: Identity) -> String { "\(refusals)/\(bottle.name).jsonl" }

    /// The lock for changing this bottle: one writer a bottle.
    package func lock(of bottle: Identity) -> FileLock { FileLock(path: "\(locks)/\(bottle.name).lock") }

    /// The lock for commits of desired state; no identity holds a dot, so no bottle's lock has this name.
    package var desiredLock: FileLock { FileLock(path: "\(locks)/.desired.lock") }

    /// The lock, held for moments only, for what all bottles share: planned addresses, a look into an image.
    package var sharedLock: FileLock { FileLock(path: "\(locks)/.shared.lock") }

    /// The lock for building or pulling an image of this name, held as long as that takes.
    ///
    /// Its holder waits for nothing else but its turn among the builds of its process, then for `buildLock`, and under
    /// that for `sharedLock`.
    package func lock(ofImage reference: ImageReference) -> FileLock {
        FileLock(path: "\(locks)/.image-\(ContentDigest(of: reference.text).hex.prefix(32)).lock")
    }

    /// The lock for building a proposed Dockerfile of this bottle: one restricted build a bottle.
    package func buildLock(of bottle: Identity) -> FileLock { FileLock(path: "\(locks)/.build-\(bottle.name).lock") }

    /// The lock of the controller: one a state folder.
    package var controllerLock: FileLock { FileLock(path: "\(locks)/.controller.lock") }

    /// Opens the folder for reading; nil when nothing was ever made there.
    ///
    /// Changes nothing.
    /// - Throws: `BottleError` `state-unsafe` or `state-unreadable`.
    package static func open(_ path: String) throws -> StateFolder? {
        try explained(path) {
            guard let resolved = try POSIX.resolve(path) else { return nil }
            _ = try check(resolved)
            return try readInstallation(resolved).map { StateFolder(path: resolved, installation: $0) }
        }
    }

    /// Opens the folder, making it and what belongs in it where that is missing.
    ///
    /// Any number of processes may call it at once; all get the same installation. If one dies here, the next call
    /// completes its work. A folder of ours that others may read is closed to them.
    /// - Throws: `BottleError` `state-unsafe` or `state-unreadable`.
    package static func create(_ path: String) throws -> StateFolder {
        try explained(path) {
            try makeParents(of: path)
            try POSIX.makeFolder(path)
            guard let resolved = try POSIX.resolve(path) else {
                throw BottleError(.stateUnreadable, "the state folder vanished while it was made", at: path)
            }
            let mode = try check(resolved)
            if mode != 0o700, unsafe chmod(resolved, 0o700) != 0 {
                throw SystemError("set the mode of", resolved, errno)
            }
            for name in ["queue", "sessions", "trust", "records", "status", "contexts", "locks", "images", "refusals"] {
                try POSIX.makeFolder("\(resolved)/\(name)")
            }
            if let known = try readInstallation(resolved) {
                return StateFolder(path: resolved, installation: known)
            }
            let fresh = Array((POSIX.randomHexadecimal() + "\n").utf8)
            _ = try DurableFile.create(fresh, at: "\(resolved)/installation")
            guard let installation = try readInstallation(resolved) else {
                throw BottleError(.stateUnreadable, "the installation id vanished", at: "\(resolved)/installation")
            }
            return StateFolder(path: resolved, installation: installation)
        }
    }

    /// - Returns: the permission bits.
    private static func check(_ path: String) throws -> mode_t {
        guard let status = try POSIX.status(path, followLinks: true), status.st_mode & S_IFMT == S_IFDIR else {
            throw BottleError(
                .stateUnsafe,
                "the state folder is not a folder",
                at: path,
                remedy: "move it away, or set BOTTLE_STATE_DIR to another place"
            )
        }
        guard status.st_uid == geteuid() else {
            throw BottleError(
                .stateUnsafe,
                "the state folder belongs to user \(status.st_uid), this is user \(geteuid())",
                at: path,
                remedy: "run as that user, or set BOTTLE_STATE_DIR to a folder of your own"
            )
        }
        guard status.st_mode & 0o022 == 0 else {
            throw BottleError(
                .stateUnsafe,
                "other users may write in the state folder",
                at: path,
                remedy: "look for what they changed, then: chmod 700 '\(path)'"
            )
        }
        return status.st_mode & 0o7777
    }

    private static func readInstallation(_ folder: String) throws -> InstallationID? {
        let path = "\(folder)/installation"
        guard let bytes = try DurableFile.read(path, limit: 1024, followLinks: false) else {
            // Without its id we would no longer know our own objects on the engine: never mint a second one.
            let records = try POSIX.names(in: "\(folder)/records") ?? []
            guard !records.contains(where: { $0.hasSuffix(".json") }) else {
                throw BottleError(
                    .stateUnreadable,
                    "the installation id is missing, though there are records of bottles",
                    at: path,
                    remedy: "restore the file from a backup, or write into it the value of the label "
                        + "dev.bottle.installation of any of these bottles' containers"
                )
            }
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let id = text.hasSuffix("\n") ? String(text.dropLast()) : text
        guard id.utf8.count == 32, id.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
            let installation = try? InstallationID(id)
        else {
            throw BottleError(
                .stateUnreadable,
                "the installation id is not 32 hexadecimal digits",
                at: path,
                remedy: "restore the file from a backup; the label dev.bottle.installation of any of this "
                    + "installation's containers has the value"
            )
        }
        return installation
    }

    private static func makeParents(of path: String) throws {
        let parent = POSIX.parent(of: path)
        guard parent != path, try POSIX.status(parent, followLinks: true) == nil else { return }
        try makeParents(of: parent)
        try POSIX.makeFolder(parent)
    }

    private static func explained<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as BottleError {
            throw error
        } catch {
            throw BottleError(
                .stateUnreadable,
                "the state folder can't be used",
                at: path,
                remedy: "mend its permissions, or set BOTTLE_STATE_DIR to another place",
                cause: "\(error)"
            )
        }
    }
}
