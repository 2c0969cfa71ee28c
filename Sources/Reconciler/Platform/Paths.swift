#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Where bottle keeps its state and finds its settings.
package struct Paths: Sendable, Hashable {
    /// The state folder, absolute.
    package var state: String
    /// The settings file, absolute; it may be missing.
    package var settings: String
    /// The user's home folder; nil when nothing names one.
    package var home: String?

    package init(state: String, settings: String, home: String?) {
        self.state = state
        self.settings = settings
        self.home = home
    }

    /// Reads `BOTTLE_STATE_DIR`, `XDG_STATE_HOME`, `XDG_CONFIG_HOME` and `HOME`.
    ///
    /// Empty variables count as unset, and so do XDG ones that are not absolute, as their standard says; a relative
    /// `BOTTLE_STATE_DIR` is taken from `workingFolder`.
    /// - Parameter userHome: the home folder of the user database, for when `HOME` is missing.
    /// - Returns: nil when the variables name no place and there is no home folder.
    package init?(environment: [String: String], workingFolder: String, userHome: String?) {
        func absolute(_ name: String) -> String? {
            environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        let home = absolute("HOME") ?? userHome
        let own = environment["BOTTLE_STATE_DIR"].flatMap { $0.isEmpty ? nil : $0 }
        guard
            let state = own.map({ $0.hasPrefix("/") ? $0 : "\(workingFolder)/\($0)" })
                ?? absolute("XDG_STATE_HOME").map({ "\($0)/bottle" }) ?? home.map({ "\($0)/.local/state/bottle" }),
            let config = absolute("XDG_CONFIG_HOME") ?? home.map({ "\($0)/.config" })
                ?? own.map({ $0.hasPrefix("/") ? $0 : "\(workingFolder)/\($0)" })
        else { return nil }
        self.init(state: state, settings: "\(config)/bottle/config.yaml", home: home)
    }

    /// The home folder of the effective user in the user database.
    package static func userHome() -> String? { UserEntry.current?.home }
}

/// One line of the user database.
package struct UserEntry: Sendable, Hashable {
    package let login: String
    package let home: String?

    /// The effective user; nil when the database has none, as in a container with a bare uid.
    package static var current: UserEntry? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        return unsafe buffer.withUnsafeMutableBufferPointer { space in
            // The strings of `entry` point into `space`, so they are copied out before it ends.
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
