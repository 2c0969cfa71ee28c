package import ReconcilerModel
import ReconcilerPlatform

/// The folder `Dockerfiles` that comes with the program, a build context for each of our images.
package struct BundledImages: Sendable {
    package let folder: String

    package init(folder: String) { self.folder = folder }

    /// Finds the folder: `BOTTLE_DOCKERFILES`, else `../share/bottle/Dockerfiles` beside the program's own folder, else
    /// the first `Dockerfiles` in a folder above it, as in a checkout.
    ///
    /// - Throws: `BottleError` `dockerfiles-missing`.
    package static func find(environment: [String: String]) throws -> BundledImages {
        if let folder = environment["BOTTLE_DOCKERFILES"], !folder.isEmpty { return BundledImages(folder: folder) }
        var place = Paths.executable().map(POSIX.parent(of:)) ?? "/"
        let installed = "\(POSIX.parent(of: place))/share/bottle/Dockerfiles"
        if isThere(installed) { return BundledImages(folder: installed) }
        while true {
            let candidate = place == "/" ? "/Dockerfiles" : "\(place)/Dockerfiles"
            if isThere(candidate) { return BundledImages(folder: candidate) }
            let parent = POSIX.parent(of: place)
            guard parent != place, !parent.isEmpty, place != "/" else { break }
            place = parent
        }
        throw BottleError(
            .dockerfilesMissing,
            "the folder Dockerfiles that comes with bottle was not found",
            remedy: "set BOTTLE_DOCKERFILES to it"
        )
    }

    private static func isThere(_ folder: String) -> Bool {
        (try? POSIX.status("\(folder)/egress-proxy/Dockerfile", followLinks: true)) != nil
    }

    /// The build context of each role that comes with the program.
    ///
    /// A sidecar that runs this program itself has one only if this is a Linux program.
    package func contexts() throws -> [Role: BuildContext] {
        var contexts: [Role: BuildContext] = [:]
        for role in Role.allCases {
            let path = "\(folder)/\(role.rawValue)"
            guard try POSIX.status("\(path)/Dockerfile", followLinks: true) != nil else { continue }
            let runsThisProgram = Sidecars[role]?.runsThisProgram ?? false
            contexts[role] = try runsThisProgram ? BuildContext.readWithProgram(path) : BuildContext.read(path)
        }
        return contexts
    }
}
