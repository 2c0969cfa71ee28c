import FoundationEssentials

extension LoopBench {
    /// With a controller running: from a sidecar's death, or a file's edit, until it works as declared again.
    func heal() async throws {
        let sheet = session.sheet("loop heal")
        let times = rounds * 2
        note("with a controller: \(times) deaths and edits of each sidecar")
        for contender in session.contenders {
            try writeBottle(contender, "heal", "/v1/")
            try await contender.apply(manifest(contender))
        }
        for time in 0..<times {
            for contender in session.contenders(time) {
                for role in ["egress-proxy", "firewall"] {
                    let start = try await Sidecar(contender, role).ownStart()
                    sheet.add("own start of \(role)", contender.way, start)
                }
            }
        }
        for contender in session.contenders { try await contender.apply(manifest(contender)) }
        // Followed: the engine keeps its last 256 events only, and looks at files make more than that in a minute.
        let events = Command(
            ["docker", "events", "--filter", "event=die", "--filter", "event=start"]
                + ["--format", "{{.TimeNano}} {{.Actor.Attributes.name}} {{.Action}}"]
        )
        try await events.running(output: Sidecar.events) { _ in
            try await session.controlling(times, ["-o", "json"]) { contender, controller, _ in
                let proxy = Sidecar(contender, "egress-proxy")
                let firewall = Sidecar(contender, "firewall")
                try await proxy.killed(controller, sheet)
                let restored = try await firewall.edited(controller, "/etc/firewall/allowlist", "$ a evil.example 443")
                sheet.add("edited file of firewall restored", contender.way, restored)
                try await firewall.killed(controller, sheet)
                let edit = #"s,"/v1/","/v1/"\, "/evil/","#
                let path = "/etc/egress-proxy/routes.yaml"
                let reloaded = try await proxy.edited(controller, path, edit, reloading: true)
                sheet.add("edited file of egress-proxy restored and reloaded", contender.way, reloaded)
            }
        }
        for role in ["egress-proxy", "firewall"] {
            for contender in session.contenders {
                guard let healed = sheet.result("killed \(role) healed", contender.way),
                    let own = sheet.result("own start of \(role)", contender.way)
                else { continue }
                sheet.add("killed \(role) healed, beyond its own start", contender.way, healed.p50 - own.p50)
            }
            sheet.compare("killed \(role) healed", with: "own start of \(role)")
            sheet.compare("killed \(role) healed, beyond its own start", atMost: 300)
        }
        sheet.compare("edited file of firewall restored", atMost: 500)
        sheet.compare("edited file of egress-proxy restored and reloaded", atMost: 500)
        for contender in session.contenders { try await contender.delete(contender.bottle("loop")) }
    }
}

/// One sidecar of a contender's bottle.
///
/// Moments are in milliseconds since 1970.
private struct Sidecar {
    static let events = "\(Place.cache)/events.log"
    /// By which a sidecar says what it has loaded.
    private static let link = "/run/bottle/loaded"

    let way, role, container: String

    init(_ contender: Contender, _ role: String) {
        way = contender.way
        self.role = role
        container = contender.container("loop", role)
    }

    /// What it needs by itself, from the command to start it until it says that it has loaded its files.
    func ownStart() async throws -> Double {
        let wanted = try await loaded()
        try await docker("kill", container)
        let begun = now()
        try await docker("start", container)
        // It needs about that long; a look at it would take processor time from it.
        try await Task.sleep(for: .seconds(1))
        return try await loadedAgain(wanted, after: begun) - begun
    }

    func killed(_ controller: Contender.Controller, _ sheet: Sheet) async throws {
        let wanted = try await loaded()
        let lines = controller.lines
        let begun = now()
        try await docker("kill", container)
        try await controller.passEnded(after: lines)
        let died = try await event("die", after: begun)
        let ready = try await loadedAgain(wanted, after: died)
        sheet.add("killed \(role) running", way, try await event("start", after: died) - died)
        sheet.add("killed \(role) healed", way, ready - died)
    }

    /// Edits a file with sed; how long until it is restored, and loaded again when the program was told to load it.
    func edited(
        _ controller: Contender.Controller,
        _ path: String,
        _ expression: String,
        reloading: Bool = false
    ) async throws -> Double {
        let wanted = try await loaded()
        let lines = controller.lines
        let edit = #"sed -i "$2" "$1" && date +%s%N"# + (reloading ? " && kill -HUP 1" : "")
        let begun = try await number(docker("exec", container, "sh", "-c", edit, "-", path, expression)) / 1e6
        try await controller.passEnded(after: lines)
        // The pass may be an earlier one's end.
        let restored = try await poll("the restoring of \(path)") {
            let changed = try await moment("Z", path)
            return changed > begun ? changed : nil
        }
        return max(restored, reloading ? try await loadedAgain(wanted, after: begun) : 0) - begun
    }

    private func loaded() async throws -> String { try await docker("exec", container, "readlink", Self.link) }

    /// When a path was written (Y) or last changed in any way (Z).
    private func moment(_ kind: String, _ path: String) async throws -> Double {
        try await number(docker("exec", container, "stat", "-c", "%.6\(kind)", path)) * 1000
    }

    private func number(_ text: String) throws -> Double {
        guard let number = Double(text) else { throw BenchError("no number from \(container): \(text)") }
        return number
    }

    /// When it said, after that moment, that it has loaded that.
    private func loadedAgain(_ wanted: String, after begun: Double) async throws -> Double {
        try await poll("the loading of \(container)'s files", every: .milliseconds(100)) {
            guard let said = try? await moment("Y", Self.link), said > begun, try await loaded() == wanted else {
                return nil
            }
            return try await moment("Y", Self.link)
        }
    }

    /// When the engine told of it, the first time after that moment.
    private func event(_ action: String, after begun: Double) async throws -> Double {
        try await poll("the engine's \(action) of \(container)") { () -> Double? in
            for line in text(of: Self.events).split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 3, words[1] == container, words[2] == action, let time = Double(words[0]) else {
                    continue
                }
                if time / 1e6 >= begun { return time / 1e6 }
            }
            return nil
        }
    }
}
