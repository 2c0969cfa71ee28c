import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension BuildContext {
    /// The text of a file of the context.
    ///
    /// - Throws: `BottleError` `context-unreadable`, also for a file that is missing or not text.
    package func text(at path: String) throws -> String {
        guard case .file(let bytes, _) = try entries()[path], let text = String(validating: bytes, as: UTF8.self) else {
            throw BottleError(.contextUnreadable, "the build context has no text called \(path)", at: digest.hex)
        }
        return text
    }

    /// The same context with another text at `path`, which need not have been there.
    ///
    /// - Throws: `BottleError` `context-unreadable`.
    package func replacing(_ path: String, with text: String) throws -> BuildContext {
        var entries = try entries()
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += folder.isEmpty ? String(part) : "/\(part)"
            if entries[folder] == nil { entries[folder] = .folder }
        }
        entries[path] = .file(Array(text.utf8), isExecutable: false)
        return BuildContext(entries)
    }

    /// Keeps a copy as the folder `<store>/<digest>`, completely or not at all; an existing one is reused.
    ///
    /// - Throws: `BottleError` `context-unreadable`, `state-unwritable`.
    package func keep(in store: String) throws {
        let entries = try entries()
        let final = "\(store)/\(digest.hex)"
        let draft = "\(store)/\(digest.hex).\(POSIX.randomHexadecimal()).tmp"
        do {
            guard try POSIX.status(final, followLinks: false) == nil else { return }
            try POSIX.makeFolder(draft)
            for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
                let target = "\(draft)/\(path)"
                switch entry {
                case .folder: try POSIX.makeFolder(target)
                case .link(let destination):
                    guard unsafe symlink(destination, target) == 0 else {
                        throw SystemError("make link", target, errno)
                    }
                case .file(let bytes, let isExecutable):
                    try DurableFile.write(bytes, to: target, mode: isExecutable ? 0o755 : 0o644)
                }
            }
            do {
                try POSIX.rename(draft, to: final)
            } catch let error as SystemError {
                // Another process stored the same context just now.
                guard try POSIX.status(final, followLinks: false) != nil else { throw error }
                try POSIX.removeTree(draft)
            }
            try DurableFile.synchronizeFolder(store)
        } catch {
            try? POSIX.removeTree(draft)
            throw BottleError(
                .stateUnwritable,
                "the build context can't be kept",
                at: final,
                remedy: "make room, or mend the folder's permissions",
                cause: "\(error)"
            )
        }
    }
}
