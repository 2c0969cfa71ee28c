#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One entry of the user database.
package struct UserEntry: Sendable, Hashable {
    package let login: String
    package let home: String?

    /// The effective user's entry; nil if there is none, for instance in a container with a bare uid.
    package static var current: UserEntry? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        return unsafe buffer.withUnsafeMutableBufferPointer { space in
            // The strings of `entry` point into `space`, so copy them before it ends.
            guard let start = space.baseAddress,
                unsafe getpwuid_r(geteuid(), &entry, start, space.count, &found) == 0, unsafe found != nil,
                let login = unsafe entry.pw_name
            else { return nil }
            let home = unsafe entry.pw_dir.map { unsafe String(cString: $0) }
            return unsafe UserEntry(
                login: String(cString: login),
                home: home.flatMap { $0.hasPrefix("/") ? $0 : nil }
            )
        }
    }
}
