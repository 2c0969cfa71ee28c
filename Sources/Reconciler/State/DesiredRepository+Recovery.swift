import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Finds and removes what a killed writer left.
///
/// A writer that holds the lock writes a note before it runs a git command that could leave something, and removes it
/// at the end. A writer that takes the lock and finds a note knows that the one before it died.
extension DesiredRepository {
    private static let scratchPrefix = "bottle-scratch."
    /// The index that git works on in such a folder.
    static let scratchIndex = "index"

    private var note: String { "\(git.folder)/bottle-writing" }

    /// - Parameter paths: what will be changed.
    func beginWriting(_ paths: Set<String>) throws {
        try DurableFile.write(Array(paths.sorted().map { $0 + "\n" }.joined().utf8), to: note)
    }

    /// Runs `body` with a new folder of its own for what git is to work on, and removes it.
    ///
    /// In a folder, so that a git that outlives its killed writer has nowhere left to write once the next one cleared
    /// it away. It is beside git's own files, where they can be given a second name there.
    func withScratch<Result>(_ body: (_ folder: String) async throws -> Result) async throws -> Result {
        let folder = "\(git.folder)/\(Self.scratchPrefix)\(POSIX.randomHexadecimal())"
        try POSIX.makeFolder(folder)
        let result: Result
        do {
            result = try await body(folder)
        } catch {
            try? POSIX.removeTree(folder)  // or the next writer does: the note stays
            throw error
        }
        try POSIX.removeTree(folder)
        return result
    }

    private func scratchFolders() throws -> [String] {
        (try POSIX.names(in: git.folder) ?? [])
            .filter { $0.hasPrefix(Self.scratchPrefix) }
            .map { "\(git.folder)/\($0)" }
    }

    /// Brings the views of these paths, work tree and index, to the revision; then there is nothing to mend.
    ///
    /// - Parameters:
    ///   - entries: the revision's files.
    ///   - contents: what is known of them, by their ids.
    func settle(
        _ paths: Set<String>,
        at revision: Revision,
        entries: [String: GitEntry],
        contents: [String: [UInt8]] = [:]
    ) async throws {
        try await refreshWorkTree(paths, to: entries, of: revision, contents: contents)
        let files = Dictionary(uniqueKeysWithValues: paths.map { ($0, entries[$0]) })
        try await refreshIndex(with: Self.indexLines(files, like: revision.id), of: revision)
        try POSIX.unlink(note)
    }

    /// Mends what a killed writer left; nothing to do when the last one ended well.
    ///
    /// Precondition: the caller holds the lock. Idempotent.
    /// - Returns: the paths that the dead writer was changing. Its last git may still live and move HEAD after this, so
    ///   the caller's own commit settles them once more.
    func recover() async throws -> Set<String> {
        guard let bytes = try DurableFile.read(note, limit: 16 << 20, followLinks: false) else { return [] }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let paths = Set(lines.filter(Self.isPath))
        try await removeStaleLocks()
        for folder in try scratchFolders() { try POSIX.removeTree(folder) }
        let head = try await head()
        try await settle(paths, at: head, entries: try await filesByPath(of: head))
        return paths
    }

    private func removeStaleLocks() async throws {
        let indexLock = "\(git.folder)/index.lock"
        if let lock = try POSIX.status(indexLock, followLinks: false) {
            for folder in try scratchFolders() {
                let own = try POSIX.status("\(folder)/\(Self.scratchIndex)", followLinks: false)
                if own?.st_ino == lock.st_ino, own?.st_dev == lock.st_dev { try POSIX.unlink(indexLock) }
            }
        }
        // Git holds a lock of a reference for milliseconds. The dead writer's last git may still live: wait for it.
        var locks = ["HEAD.lock", "packed-refs.lock"]
        if let head = try DurableFile.read("\(git.folder)/HEAD", limit: 4096, followLinks: false) {
            let text = String(decoding: head.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            if text.hasPrefix("ref: refs/"), !text.contains("..") { locks.append("\(text.dropFirst(5)).lock") }
        }
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end, try locks.contains(where: exists) {
            try await Task.sleep(for: .milliseconds(20))
        }
        for name in locks where try exists(name) { try POSIX.unlink("\(git.folder)/\(name)") }
    }

    private func exists(_ name: String) throws -> Bool {
        try POSIX.status("\(git.folder)/\(name)", followLinks: false) != nil
    }

    static func unreadable(_ folder: String, _ reason: String, cause: String? = nil) -> BottleError {
        BottleError(
            .desiredUnreadable,
            "the desired state can't be read: \(reason)",
            at: folder,
            remedy: "nothing was changed; look with: git -C '\(folder)' fsck --full; then mend it, or restore the "
                + "folder from a backup",
            cause: cause
        )
    }

    /// Turns what stops a git command or a file access into an error that says what to do.
    static func explained<Result>(_ folder: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as Program.Failure {
            guard case .notFound = error else { throw unreadable(folder, "git did not answer", cause: "\(error)") }
            throw BottleError(.gitMissing, "\(error)", remedy: "install git and see that PATH has it")
        } catch let refusal as Git.Refusal where refusal.command == "sign" {
            throw BottleError(
                .desiredUnsigned,
                "the commit can't be signed as your git configuration asks; nothing was changed",
                at: folder,
                remedy: "try `git commit -S` elsewhere; see commit.gpgSign, user.signingKey and gpg.* in it",
                cause: "\(refusal)"
            )
        } catch let refusal as Git.Refusal {
            guard
                ["hash-object", "read-tree", "update-index", "write-tree", "commit-tree", "update-ref", "init"]
                    .contains(refusal.command), !refusal.text.contains("bad object")
            else { throw unreadable(folder, "git refused", cause: "\(refusal)") }
            throw BottleError(
                .desiredUnwritable,
                "the change can't be committed",
                at: folder,
                remedy: "make room, or wait for the git command that runs there; if none does, remove the .lock file "
                    + "it names; then run the command again",
                cause: "\(refusal)"
            )
        } catch let error as FileLock.TimedOut {
            throw BottleError(
                .desiredBusy,
                "another process keeps the desired state locked",
                at: folder,
                remedy: "wait until process \(error.holder.map(String.init) ?? "?") is done, then run the command again"
            )
        } catch let error as SystemError {
            throw unreadable(folder, "a file of it can't be used", cause: "\(error)")
        } catch let error as DurableFile.Unsuitable {
            throw unreadable(folder, "a file of it is not what it should be", cause: "\(error)")
        }
    }
}
