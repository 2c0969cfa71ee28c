import FoundationEssentials

/// A `bottle` executable that is measured, with a state folder, settings and images of its own.
struct Contender: Sendable {
    /// `bottle`, or `old` for the one that it is compared with.
    let way: String
    let executable: String
    let folder: String
    let environment: [String: String]
    /// What the settings name, by role.
    let images: [String: String]

    init(way: String, executable: String, images: [String: String], secrets: [String: String]) {
        self.way = way
        self.executable = executable
        self.images = images
        folder = "\(Place.cache)/\(way)"
        environment = secrets.merging(["BOTTLE_STATE_DIR": "\(folder)/state", "XDG_CONFIG_HOME": "\(folder)/config"]) {
            $1
        }
    }

    /// The bottle of one group; those of two contenders can stand side by side.
    func bottle(_ group: String) -> String { way == "old" ? "bench-old-\(group)" : "bench-\(group)" }

    func container(_ group: String, _ role: String) -> String { "bottle-\(bottle(group))-\(role)" }

    func image(_ role: String) -> String { images[role] ?? "bottle/\(role)" }

    func command(_ words: String...) -> Command { Command([executable] + words, environment: environment) }

    @discardableResult
    func apply(_ manifest: String) async throws -> String {
        try await command("apply", "-f", manifest, "--yes").run()
    }

    @discardableResult
    func delete(_ bottles: String...) async throws -> String { try await delete(bottles) }

    @discardableResult
    private func delete(_ bottles: [String]) async throws -> String {
        try await Command(
            [executable, "delete"] + bottles + ["--yes", "--ignore-not-found"],
            environment: environment
        ).run()
    }

    /// Settings, and the images: built where the settings name none.
    ///
    /// - Parameter named: Give all images names of the contender's own, so that another can build its own.
    func prepare(named: Bool) async throws -> Contender {
        try settings()
        note(try await command("images", "build").run())
        guard named else { return self }
        var all = images
        for role in ["agent", "egress-proxy", "firewall", "supervise"] where all[role] == nil {
            let name = "bottle-bench/\(way)-\(role)"
            try await docker("tag", image(role), name)
            all[role] = name
        }
        let prepared = Contender(way: way, executable: executable, images: all, secrets: environment)
        try prepared.settings()
        return prepared
    }

    private func settings() throws {
        let list = images.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        try writeFile("images: {\(list)}\n", to: "\(folder)/config/bottle/config.yaml")
    }

    /// Removes every bottle that the state folder records, also what a killed delete left, and the state folder.
    func clear() async throws {
        let records = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/state/records")
        let bottles = (records ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        if !bottles.isEmpty { try await delete(bottles) }
        if FileManager.default.fileExists(atPath: "\(folder)/state") {
            try FileManager.default.removeItem(atPath: "\(folder)/state")
        }
    }

    // MARK: - A controller

    /// Runs `body` beside `bottle run`, whose first passes have ended.
    func controlling<Value: Sendable>(
        _ options: [String],
        body: (Controller) async throws -> Value
    ) async throws -> Value {
        let log = "\(folder)/run.log"
        let errors = "\(folder)/run.errors"
        let command = Command([executable, "run"] + options, environment: environment)
        return try await command.running(output: log, errors: errors) { process in
            try await body(Controller(process: process, log: log, errors: errors))
        }
    }

    struct Controller: Sendable {
        let process: Int32
        let log: String
        let errors: String

        var output: String { text(of: log) }
        var lines: Int { output.split(separator: "\n").count }

        /// Its first passes look at everything; then it is quiet.
        func settle() async throws {
            try await Task.sleep(for: .seconds(3))
            // One that ended stays a zombie until it is waited for.
            if text(of: "/proc/\(process)/stat").contains(") Z ") {
                throw BenchError("the controller ended\n\(text(of: errors))")
            }
        }

        /// Waits for a pass that is told after so many lines.
        func passEnded(after before: Int) async throws {
            try await poll("the controller's healing") { lines > before ? () : nil }
        }
    }
}
