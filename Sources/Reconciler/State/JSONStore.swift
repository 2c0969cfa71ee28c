package import ReconcilerModel
import ReconcilerPlatform

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One durable JSON file a bottle, in one folder: `<folder>/<identity>.json`.
///
/// A file that can't be read is an error that names it; it is never overwritten or removed. Writers of one bottle hold
/// its lock; readers need none, since a file is replaced whole.
package struct JSONStore<Value: Codable & Sendable>: Sendable {
    package let folder: String
    /// What the files hold, for messages: `record`.
    package let noun: String
    /// Version of the format that this program writes; it reads this one and those below it.
    package let version: Int

    package init(folder: String, noun: String, version: Int = 1) {
        self.folder = folder
        self.noun = noun
        self.version = version
    }

    /// The file of one bottle.
    package func path(of bottle: Identity) -> String { "\(folder)/\(bottle.name).json" }

    /// What is stored for the bottle; nil when there is nothing.
    ///
    /// - Throws: `BottleError` `state-unreadable`.
    package func load(_ bottle: Identity) throws -> Value? { try read(path(of: bottle)) }

    /// Everything that is stored.
    ///
    /// - Throws: `BottleError` `state-unreadable` for the first file that can't be read, and for one whose name is no
    ///   identity: what it stands for is unknown, so it can't be passed over.
    package func loadAll() throws -> [Identity: Value] {
        var values: [Identity: Value] = [:]
        for name in try names() {
            let path = "\(folder)/\(name)"
            guard let identity = try? Identity(String(name.dropLast(5))) else {
                throw unreadable(path, "its name is not that of a bottle")
            }
            // A file that vanished since the listing was removed by its bottle's deletion.
            if let value = try read(path) { values[identity] = value }
        }
        return values
    }

    /// Replaces what is stored for the bottle; durable when this returns, the old or the new if the process dies here.
    package func save(_ value: Value, for bottle: Identity) throws {
        // A file that is newer than this program, or unreadable, is not replaced.
        _ = try load(bottle)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let path = path(of: bottle)
        do {
            let data = try encoder.encode(Stored(version: version, value: value))
            try DurableFile.write(Array(data) + [UInt8(ascii: "\n")], to: path)
        } catch {
            throw BottleError(
                .stateUnwritable,
                "the \(noun) can't be written",
                at: path,
                remedy: "make room or mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }

    /// Removes what is stored for the bottle; nothing there is success.
    package func remove(_ bottle: Identity) throws {
        do {
            try DurableFile.remove(path(of: bottle))
        } catch {
            throw BottleError(
                .stateUnwritable,
                "the \(noun) can't be removed",
                at: path(of: bottle),
                remedy: "mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }

    private struct Stored: Codable {
        var version: Int
        var value: Value
    }

    private struct Version: Decodable { var version: Int }

    private func names() throws -> [String] {
        do {
            return try (POSIX.names(in: folder) ?? []).filter { $0.hasSuffix(".json") }
        } catch {
            throw unreadable(folder, "\(error)")
        }
    }

    private func read(_ path: String) throws -> Value? {
        do {
            guard let bytes = try DurableFile.read(path, limit: 16 << 20, followLinks: false) else { return nil }
            let data = Data(bytes)
            let found = try JSONDecoder().decode(Version.self, from: data).version
            guard found <= version else {
                throw BottleError(
                    .stateUnreadable,
                    "the \(noun) has version \(found), this program knows \(version)",
                    at: path,
                    remedy: "use the newer program that wrote it"
                )
            }
            return try JSONDecoder().decode(Stored.self, from: data).value
        } catch let error as BottleError {
            throw error
        } catch {
            throw unreadable(path, "\(error)")
        }
    }

    private func unreadable(_ path: String, _ cause: String) -> BottleError {
        BottleError(
            .stateUnreadable,
            "the \(noun) can't be read",
            at: path,
            remedy: "restore the file from a backup; nothing was changed",
            cause: cause
        )
    }
}
