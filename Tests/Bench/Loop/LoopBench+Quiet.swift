import FoundationEssentials

extension LoopBench {
    /// With nothing to do: what a look at the engine's lists takes, beside few containers and many, and an idle minute.
    func quiet() async throws {
        guard Place.hasProc else { return note("without /proc nothing tells what the controller takes; left out") }
        for contender in session.contenders {
            try writeBottle(contender, "quiet", "/v1/")
            try await contender.apply(manifest(contender))
        }
        for contender in session.contenders { try await idle(contender) }
        var made = 0
        for count in [1, 50, 200] {
            note("quiet looks beside \(count) bottles' worth of containers")
            if count > 1 {
                try await makeStrangers(made..<count)
                made = count
            }
            for contender in session.contenders(count) { try await looks(contender, count) }
        }
        for contender in session.contenders { try await contender.delete(contender.bottle("loop")) }
        try await Engine.removeContainers("label=\(stranger)")
    }

    private func idle(_ contender: Contender) async throws {
        note("an idle minute")
        let sheet = session.sheet("loop quiet")
        let hertz = Double(try await Command(["getconf", "CLK_TCK"]).run().trimmingSuffix(while: \.isNewline)) ?? 100
        try await contender.controlling([]) { controller in
            try await controller.settle()
            let before = ticks(controller.process)
            try await Task.sleep(for: .seconds(60))
            let percent = (ticks(controller.process) - before) / hertz / 60 * 100
            sheet.add("idle minute, of a core", contender.way, percent, unit: "%")
            sheet.add("idle controller", contender.way, Memory.most(of: "\(controller.process)"), unit: "MiB")
        }
        sheet.compare("idle minute, of a core", atMost: 0.5)
        sheet.compare("idle controller", atMost: 60)
    }

    /// A look each second, for ten; the controller tells every engine call.
    private func looks(_ contender: Contender, _ count: Int) async throws {
        let sheet = session.sheet("loop quiet")
        let (spent, lines) = try await contender.controlling(["--interval", "1", "--sweep", "86400", "--verbose"]) {
            controller in
            try await controller.settle()
            let before = text(of: controller.errors).count
            let time = processorTime(controller.process)
            try await Task.sleep(for: .seconds(10))
            let spent = processorTime(controller.process) - time
            return (spent, String(text(of: controller.errors).dropFirst(before)))
        }
        // A look is the calls up to the next list of containers; the calls go side by side, so the slowest counts.
        let calls = lines.split(separator: "\n").compactMap {
            $0.wholeMatch(of: /engine: (\S+ [^ ?]+).* ([0-9.]+) ms/)
        }.compactMap { match in Double(match.2).map { (call: String(match.1), time: $0) } }
        let kinds = Dictionary(grouping: calls, by: \.call)
        let looks = calls.count { $0.call.contains("/containers/json") }
        guard looks > 0 else { throw BenchError("the controller did not look\n\(lines)") }
        let slowest = kinds.values.map { $0.map(\.time).reduce(0, +) / Double($0.count) }.max() ?? 0
        let name = "look beside \(count)"
        sheet.add(name, contender.way, Double(calls.count) / Double(looks), unit: "calls")
        sheet.add("\(name), slowest call", contender.way, slowest)
        sheet.add("\(name), processor time a second", contender.way, spent / 1e7)
        sheet.compare(name, atMost: 3)
        if count == 1, contender.way == "bottle" {
            session.recorder.note("a quiet look: \(kinds.keys.sorted().joined(separator: ", "))")
        }
    }

    // MARK: - Others' containers

    private var stranger: String { "dev.bottle.identity=bench-stranger" }

    /// A bottle's worth of containers each, made and never started; they are no bottles of ours.
    private func makeStrangers(_ numbers: Range<Int>) async throws {
        let labels = [stranger, "dev.bottle.managed-by=bottle", "dev.bottle.installation=bench"]
        let image = session.contenders[0].image("firewall")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in numbers.prefix(3) {
                group.addTask {
                    for number in stride(from: first, to: numbers.upperBound, by: 3) {
                        for role in ["agent", "egress-proxy", "firewall"] {
                            let own = labels + ["dev.bottle.role=\(role)"]
                            let options = own.flatMap { ["--label", $0] } + ["--network", "none", image]
                            try await Engine.create("stranger-\(number)-\(role)", options)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Clock ticks of processor time of a process, also those of threads that ended.
private func ticks(_ process: Int32) -> Double {
    // The name before it may hold spaces.
    let fields = text(of: "/proc/\(process)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    return fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
}

/// Nanoseconds of processor time of a process's threads.
private func processorTime(_ process: Int32) -> Double {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return tasks.compactMap { task in
        text(of: "/proc/\(process)/task/\(task)/schedstat").split(separator: " ").first.flatMap { Double($0) }
    }.reduce(0, +)
}
