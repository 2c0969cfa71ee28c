package import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension LoadConfirmation {
    /// Says that a sidecar without reloadable files is ready: the link at `path` is replaced at once or not at all.
    ///
    /// - Throws: `SystemError`.
    package static func confirmNothing(at path: String) throws {
        let temporary = "\(path).\(POSIX.randomHexadecimal())"
        let target = "/\(ContentDigest(of: ""))/ok"
        guard unsafe symlink(target, temporary) == 0 else { throw SystemError("link", temporary, errno) }
        do {
            try POSIX.rename(temporary, to: path)
        } catch {
            _ = try? POSIX.unlink(temporary)
            throw error
        }
    }

    /// Takes the link back that an earlier run left; none there is success.
    package static func withdraw(at path: String) throws { try POSIX.unlink(path) }
}
