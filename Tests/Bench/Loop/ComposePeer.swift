import FoundationEssentials

/// The same bottle by docker compose v2, one of which is up at a time; peer.jq says how its file is made.
enum ComposePeer {
    static let project = "bottle-bench-peer"
    static let agent = "\(project)-agent-1"
    private static let folder = "\(Place.cache)/peer"
    private static let file = "\(folder)/compose.yaml"

    /// Runs docker compose; `variable` is the one of the agent's that the bench changes.
    @discardableResult
    static func compose(_ words: String..., variable: String = "0") async throws -> String {
        let options = ["compose", "--project-name", project, "--file", file]
        return try await docker(options + words, environment: ["BENCH": variable])
    }

    static func down() async throws {
        guard FileManager.default.fileExists(atPath: file) else { return }
        try await compose("down", "--volumes")
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Allows a path in the file that the peer's egress-proxy mounts, which stays the same file.
    static func allow(_ path: String) async throws {
        let routes = "\(folder)/egress-proxy/routes.yaml"
        let text = try await Command(["jq", "--arg", "path", path, ".routes[0].paths += [$path]", routes]).run()
        try Data(text.utf8).write(to: URL(filePath: routes), options: [])
    }

    /// Writes the peer's files and its compose.yaml, from the bottle that is up.
    static func write(from contender: Contender) async throws {
        let given = ["agent": "/etc/bottle", "egress-proxy": "/etc/egress-proxy", "firewall": "/etc/firewall"]
        let own = { (names: [String]) in names.map { contender.container("loop", $0) } }
        if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (role, path) in given {
            try await docker("cp", "\(contender.container("loop", role)):\(path)", "\(folder)/\(role)")
        }
        // The containers' users are not this one.
        try await Command(["chmod", "-R", "a+rX", folder]).run()
        let containers = try await docker(["inspect"] + own(given.keys.sorted()))
        let networks = try await docker(["network", "inspect"] + own(["internal", "link"]) + [Engine.outer])
        let world = "\(folder)/world.json"
        try writeFile("{\"containers\": \(containers), \"networks\": \(networks)}", to: world)
        let arguments = ["--arg", "name", contender.bottle("loop"), "--arg", "files", folder]
        let program = "\(Place.root)/Tests/Bench/Loop/peer.jq"
        try writeFile(try await Command(["jq"] + arguments + ["-f", program, world]).run(), to: file)
    }
}
