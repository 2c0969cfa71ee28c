import FoundationEssentials

extension LoopBench {
    /// Fifty bottles, and one of them can never be: its image does not build.
    ///
    /// What that costs the others, those that are healed meanwhile and one that is new.
    func crowd() async throws {
        let sheet = session.sheet("loop crowd")
        note("\(Crowd.good) bottles, alone and beside one that can't be built")
        let crowds = session.contenders.map { Crowd(contender: $0, sheet: sheet) }
        for crowd in crowds { try await crowd.make() }
        for round in 0..<(rounds + 1) / 2 {
            for crowd in round.isMultiple(of: 2) ? crowds : crowds.reversed() { try await crowd.newcomers() }
        }
        for round in 0..<(rounds + 1) / 3 {
            for crowd in round.isMultiple(of: 2) ? crowds : crowds.reversed() { try await crowd.healed() }
        }
        sheet.compare("\(Crowd.good) bottles healed beside one that fails", with: Crowd.alone, atMost: 1.1)
        sheet.compare("new bottle beside one that fails", with: "new bottle", atMost: 1.5)
        if let condition = try await crowds[0].condition() {
            session.recorder.note("the bottle that fails: \(condition)")
        }
        for contender in session.contenders { try await contender.clear() }
    }
}

private struct Crowd {
    static let good = 49
    static let alone = "\(good) bottles healed"
    let contender: Contender
    let sheet: Sheet

    private var folder: String { "\(contender.folder)/crowd" }
    private var broken: String { "\(contender.folder)/broken" }
    private var newcomer: String { "\(contender.folder)/newcomer.yaml" }
    private func name(_ suffix: String) -> String { "\(contender.bottle("loop"))-\(suffix)" }

    /// Bottles of an agent and a network each: enough to be made again, and little besides.
    func make() async throws {
        let image = "image: \(contender.image("agent"))"
        for number in 1...Self.good { try writeFile(text("\(number)", image), to: "\(folder)/\(number).yaml") }
        try writeFile(text("new", image), to: newcomer)
        // Its name comes before theirs.
        try writeFile(text("0", "build: {context: context}"), to: "\(broken)/bottle.yaml")
        try writeFile(
            "FROM debian:trixie-slim\nRUN sleep 3; echo no such luck; exit 7\n",
            to: "\(broken)/context/Dockerfile"
        )
        try await contender.apply(folder)
    }

    private func text(_ suffix: String, _ image: String) -> String {
        """
        apiVersion: bottle/v1
        kind: Bottle
        metadata: {name: \(name(suffix))}
        spec:
          agent: {\(image), command: [sleep, infinity]}
          egress: {firewall: none}

        """
    }

    /// A new bottle alone, and one while the build goes on, which ends only after it.
    func newcomers() async throws {
        let apply = { _ = try await contender.apply(newcomer) }
        sheet.add("new bottle", contender.way, try await milliseconds(apply))
        try await contender.delete(name("new"))
        async let building: Void = applyBroken()
        try await Task.sleep(for: .milliseconds(800))
        sheet.add("new bottle beside one that fails", contender.way, try await milliseconds(apply))
        try await building
        try await contender.delete(name("new"))
    }

    private func applyBroken() async throws {
        let result = try await contender.command("apply", "-f", broken, "--yes").outcome()
        if result.succeeded { throw BenchError("the broken bottle was made") }
    }

    func healed() async throws {
        sheet.add("\(Self.good) bottles healed beside one that fails", contender.way, try await controllerHeals())
        try await contender.delete(name("0"))
        sheet.add(Self.alone, contender.way, try await controllerHeals())
        try await applyBroken()
    }

    /// Every container of the crowd is gone; from the controller's start until each of them runs again.
    private func controllerHeals() async throws -> Double {
        let prefix = "bottle-\(name(""))"
        try await Engine.removeContainers("name=^\(prefix)[1-9]")
        let begun = now()
        return try await contender.controlling(["-o", "json"]) { controller in
            try await poll("the healing of the crowd", seconds: 60) {
                let output = controller.output
                let healed = output.ranges(of: "\"identity\":\"\(name(""))").count { output[$0.upperBound] != "0" }
                return healed >= Self.good ? now() - begun : nil
            }
        }
    }

    /// What is told of the bottle that can't be.
    func condition() async throws -> String? {
        struct List: Decodable {
            struct Bottle: Decodable { var conditions: [Condition] }
            struct Condition: Decodable { var type, reason, message: String }
            var items: [Bottle]
        }
        let output = try await contender.command("get", name("0"), "-o", "json").run()
        let conditions = try JSONDecoder().decode(List.self, from: Data(output.utf8)).items.first?.conditions
        return conditions?.first { $0.type == "Degraded" }.map { "\($0.reason): \($0.message)" }
    }
}
