import ReconcilerTrust
import Synchronization

/// Private files in memory.
final class MemoryFiles: PrivateFiles {
    private let files = Mutex<[String: [UInt8]]>([:])

    func read(_ path: String) throws -> [UInt8]? { files.withLock { $0[path] } }

    func create(_ bytes: [UInt8], at path: String) throws -> Bool {
        files.withLock { files in
            guard files[path] == nil else { return false }
            files[path] = bytes
            return true
        }
    }

    func location(of path: String) -> String { "/trust/\(path)" }

    /// Changes a file behind the store's back; nil removes it.
    func set(_ path: String, _ bytes: [UInt8]?) { files.withLock { $0[path] = bytes } }

    var paths: [String] { files.withLock { $0.keys.sorted() } }
}
