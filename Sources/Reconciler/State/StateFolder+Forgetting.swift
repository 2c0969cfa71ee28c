package import ReconcilerModel
import ReconcilerPlatform

extension StateFolder {
    /// Removes the certificate authorities of a bottle that is gone.
    ///
    /// The folder is renamed first, so that no reader finds half of it; the next call removes what a killed process
    /// left.
    /// - Throws: `BottleError` `state-unwritable`.
    package func forgetTrust(of bottle: Identity) throws {
        let aside = ".forgotten."
        do {
            if try POSIX.status("\(trust)/\(bottle)", followLinks: false) != nil {
                try POSIX.rename("\(trust)/\(bottle)", to: "\(trust)/\(aside)\(POSIX.randomHexadecimal())")
            }
            for name in try POSIX.names(in: trust) ?? [] where name.hasPrefix(aside) {
                try POSIX.removeTree("\(trust)/\(name)")
            }
        } catch {
            throw BottleError(
                .stateUnwritable,
                "the bottle's certificate authorities can't be removed",
                at: "\(trust)/\(bottle)",
                remedy: "mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }

    /// Removes what a bottle's sidecars refused; none there is success.
    ///
    /// - Throws: `BottleError` `state-unwritable`.
    package func forgetRefusals(of bottle: Identity) throws {
        let path = refusals(of: bottle)
        do {
            try DurableFile.remove(path)
        } catch {
            throw BottleError(
                .stateUnwritable,
                "the bottle's refusals can't be removed",
                at: path,
                remedy: "mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }

    /// Removes a bottle's queue of proposals; none there is success.
    ///
    /// - Throws: `BottleError` `state-unwritable`.
    package func forgetQueue(of bottle: Identity) throws {
        let path = queue(of: bottle)
        do {
            if try POSIX.status(path, followLinks: false) != nil { try POSIX.removeTree(path) }
        } catch {
            throw BottleError(
                .stateUnwritable,
                "the bottle's queue of proposals can't be removed",
                at: path,
                remedy: "mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }
}
