import ReconcilerPlatform
import ReconcilerTrust

/// The state folder's `trust/`, for the Trust room.
package struct StateFiles: PrivateFiles, Sendable {
    package let folder: String

    package init(folder: String) { self.folder = folder }

    package func read(_ path: String) throws -> [UInt8]? {
        try DurableFile.read(location(of: path), limit: 1 << 20, followLinks: false)
    }

    package func create(_ bytes: [UInt8], at path: String) throws -> Bool {
        let place = location(of: path)
        let parent = POSIX.parent(of: place)
        if parent != folder {
            try POSIX.makeFolder(parent)
            try DurableFile.synchronizeFolder(folder)
        }
        return try DurableFile.create(bytes, at: place)
    }

    package func location(of path: String) -> String { "\(folder)/\(path)" }
}
