import FoundationEssentials

/// Where the bench reads and writes.
enum Place {
    /// The checkout: scripts/bench begins there.
    static let root = FileManager.default.currentDirectoryPath
    static let cache = "\(root)/.cache/bench"
    static let hasProc = FileManager.default.fileExists(atPath: "/proc/self/stat")
}

@discardableResult
func docker(_ words: String..., environment: [String: String] = [:]) async throws -> String {
    try await docker(words, environment: environment)
}

@discardableResult
func docker(_ words: [String], environment: [String: String] = [:]) async throws -> String {
    let output = try await Command(["docker"] + words, environment: environment).run()
    return String(output.trimmingSuffix(while: \.isNewline))
}

/// What the bench itself makes on the engine, the bottles apart: all of it has one label.
enum Engine {
    static let label = "bottle-bench=yes"
    /// The server and the clients: one image, so that both sides are the same programs for every way.
    static let tools = "bottle/bench-tools"
    static let host = "api.bench.test"
    static let outer = "bottle-bench-outer"
    /// The server's certificate.
    static let certificate = "\(Place.cache)/server.pem"

    static func buildTools() async throws {
        try await docker("build", "--tag", tools, "Tests/Bench/tools", environment: ["DOCKER_BUILDKIT": "0"])
    }

    /// Makes a network and returns its subnet.
    static func makeNetwork(_ name: String, _ options: String...) async throws -> String {
        var failure: any Error = BenchError("no subnet is free for \(name)")
        for second in 240...247 {
            let subnet = "10.\(second).\(Int.random(in: 0...255)).0/24"
            do {
                try await docker(["network", "create", "--label", label, "--subnet", subnet] + options + [name])
                return subnet
            } catch let error as BenchError where error.description.contains("overlap") {
                failure = error
            }
        }
        throw failure
    }

    /// A container that is not started yet.
    static func create(_ name: String, _ options: [String]) async throws {
        try await docker(["create", "--name", "bottle-bench-\(name)", "--label", label] + options)
    }

    /// Puts a file of the cache's into a container.
    static func give(_ name: String, _ file: String, as path: String) async throws {
        try await docker("cp", "\(Place.cache)/\(file)", "bottle-bench-\(name):\(path)")
    }

    static func start(_ name: String) async throws { try await docker("start", "bottle-bench-\(name)") }

    /// HTTPS under the name `host`, on a network that stands for the internet; returns its subnet.
    static func startServer() async throws -> String {
        try await buildTools()
        let subnet = try await makeNetwork(outer)
        let key = "\(Place.cache)/server.key"
        try await Command(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-days", "30", "-subj", "/CN=bottle bench", "-addext", "subjectAltName = DNS:\(host)"]
                + ["-keyout", key, "-out", certificate]
        ).run()
        try await create("server", ["--network", outer, "--network-alias", host, "--tmpfs", "/srv", tools])
        try await give("server", "server.pem", as: "/etc/nginx/bench/server.pem")
        try await give("server", "server.key", as: "/etc/nginx/bench/server.key")
        try await start("server")
        return subnet
    }

    static func removeContainers(_ filter: String) async throws {
        let found = try await docker("ps", "-aq", "--filter", filter).split(separator: "\n").map(String.init)
        if !found.isEmpty { try await docker(["rm", "-f"] + found) }
    }

    /// Removes what has the bench's label: this run's, and what a killed one left.
    static func clear() async throws {
        try await removeContainers("label=\(label)")
        let networks = try await docker("network", "ls", "-q", "--filter", "label=\(label)").split(separator: "\n")
        if !networks.isEmpty { try await docker(["network", "rm"] + networks.map(String.init)) }
    }
}

extension StringProtocol {
    func trimmingSuffix(while predicate: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { formIndex(before: &end) }
        return self[..<end]
    }
}
