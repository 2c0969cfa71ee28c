import FoundationEssentials

/// Start-up, and applies of the demo's bottle.
enum ApplyBench {
    static func startup(_ session: Session, runs: Int) async throws {
        note("measuring: start-up (version)")
        let sheet = session.sheet("startup")
        for run in 0..<runs {
            for contender in session.contenders(run) {
                let time = try await milliseconds { try await contender.command("version").run() }
                sheet.add("start-up (version)", contender.way, time)
            }
        }
    }

    static func apply(_ session: Session, runs: Int) async throws {
        let sheet = session.sheet("apply")
        for contender in session.contenders { try await contender.clear() }
        let subnet = try await Demo.start()
        for contender in session.contenders {
            try writeManifests(contender, subnet: subnet)
            // The first one makes the desired state, too.
            try await contender.apply(manifest(contender, "a"))
        }
        func measure(
            _ name: String,
            _ letter: (Int) -> String,
            prepare: (Contender) async throws -> Void = { _ in }
        ) async throws {
            note("measuring: \(name)")
            for run in 0...runs {
                for contender in session.contenders(run) {
                    try await prepare(contender)
                    let path = manifest(contender, letter(run))
                    // The engine calls are those of a further run, since listing them takes time.
                    guard run < runs else {
                        let command = contender.command("apply", "-f", path, "--yes", "--verbose")
                        let result = try await command.outcome()
                        sheet.add("\(name), engine calls", contender.way, Double(calls(result.errors)), unit: "calls")
                        continue
                    }
                    sheet.add(name, contender.way, try await milliseconds { try await contender.apply(path) })
                }
            }
        }
        try await measure("cold apply", { _ in "a" }) { try await $0.delete($0.bottle("apply")) }
        try await measure("apply, nothing changed", { _ in "a" })
        try await measure("apply, one route changed", { $0.isMultiple(of: 2) ? "b" : "a" })
        for contender in session.contenders { try await contender.clear() }
    }

    private static func calls(_ errors: String) -> Int {
        let call = /(^|[^A-Za-z])(GET|HEAD|POST|PUT|DELETE) \//
        return errors.split(separator: "\n").count { $0.firstMatch(of: call) != nil }
    }

    private static func manifest(_ contender: Contender, _ letter: String) -> String {
        "\(contender.folder)/\(letter).yaml"
    }

    private static func writeManifests(_ contender: Contender, subnet: String) throws {
        let path = "path_allowlist: [/repos/acme/]"
        let demo = text(of: "\(Place.root)/manifests/demo.yaml")
            .replacing("  name: demo\n", with: "  name: \(contender.bottle("apply"))\n")
            .replacing("image: bottle/agent", with: "image: \(contender.image("agent"))")
            .replacing("../.cache/demo/ca.pem", with: Demo.authority)
            .replacing("10.232.0.0/24", with: subnet)
        guard demo.contains(path) else { throw BenchError("manifests/demo.yaml has no path_allowlist to change") }
        try writeFile(demo, to: manifest(contender, "a"))
        try writeFile(
            demo.replacing(path, with: "path_allowlist: [/repos/acme/, /repos/beta/]"),
            to: manifest(contender, "b")
        )
    }
}

/// The servers of the demo.
enum Demo {
    static let authority = "\(Place.root)/.cache/demo/ca.pem"
    /// There while the servers are the bench's: those of a demo stay.
    private static let mark = "\(Place.cache)/demo"

    /// Starts them and returns their network's subnet.
    static func start() async throws -> String {
        try writeFile("", to: mark)
        let output = try await Command(["scripts/demo-internet", "up"]).run()
        guard let subnet = output.split(whereSeparator: \.isWhitespace).first else {
            throw BenchError("the servers for the bench do not come up")
        }
        return String(subnet)
    }

    static func stop() async throws {
        guard FileManager.default.fileExists(atPath: mark) else { return }
        try await Command(["scripts/demo-internet", "down"]).run()
        try FileManager.default.removeItem(atPath: mark)
    }
}
