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
    /// The settings file, absolute; it may not exist.
    package var settings: String
    /// The user's home folder; nil if none is known.
    package var home: String?

    package init(state: String, settings: String, home: String?) {
        self.state = state
        self.settings = settings
        self.home = home
    }

    /// Reads `BOTTLE_STATE_DIR`, `XDG_STATE_HOME`, `XDG_CONFIG_HOME` and `HOME`.
    ///
    /// Treats empty variables as unset, and XDG ones that are not absolute too, as their standard says; resolves a
    /// relative `BOTTLE_STATE_DIR` against `workingFolder`.
    /// - Parameter userHome: the user database's home folder, used if `HOME` is missing.
    /// - Returns: nil if the variables name no folder and there is no home folder.
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

    /// The effective user's home folder in the user database.
    package static func userHome() -> String? { UserEntry.current?.home }
}
