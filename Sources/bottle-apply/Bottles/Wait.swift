import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations

struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until bottles have a condition, or are gone.",
        discussion: """
            Only looks: a controller (`bottle run`) or an `apply` has to do the work. Ready counts only for the \
            desired state's last change of the bottle, not for one before it.

              bottle wait dev --for condition=Ready --timeout 60s
              bottle wait dev --for condition=Degraded=False
              bottle wait dev --for delete
            """
    )

    @Argument(help: "The bottles.")
    var bottles: [String]

    @Option(name: .long, help: "condition=TYPE, condition=TYPE=STATUS, or delete.")
    var `for`: WaitGoal = .condition(.ready, .true)

    @Option(name: .long, help: "How long to wait at most, such as 500ms, 60s, 5m or 2h.")
    var timeout: TimeSpan = TimeSpan(.seconds(30))

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identities = try bottles.map { try Identity($0) }
        let end = ContinuousClock.now + timeout.duration
        var waiting = identities
        var reader = StatusReader(context.operations)
        while true {
            var still: [Identity] = []
            for identity in waiting where try await !reader.has(identity, `for`) { still.append(identity) }
            waiting = still
            if waiting.isEmpty { break }
            guard ContinuousClock.now < end else { throw timedOut(waiting) }
            try await Task.sleep(for: .milliseconds(100))
        }
        try context.show(WaitResult(bottles: identities.map(\.name), goal: `for`.description)) {
            identities.map { "\($0): \(`for`)" }.joined(separator: "\n")
        }
    }

    private func timedOut(_ waiting: [Identity]) -> BottleError {
        BottleError(
            .timeout,
            "not within \(timeout): \(`for`)",
            at: waiting.map(\.name).joined(separator: ", "),
            remedy: "see `bottle describe \(waiting[0])`; does `bottle run` look after it?"
        )
    }
}

private struct WaitResult: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "WaitResult"
    var bottles: [String]
    var goal: String
}

extension WaitGoal: ExpressibleByArgument, CustomStringConvertible {
    package init?(argument: String) {
        if argument == "delete" {
            self = .deletion
            return
        }
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, parts[0] == "condition" else { return nil }
        let kind = Condition.Kind.allCases.first { $0.rawValue.lowercased() == parts[1].lowercased() }
        let status = parts.count == 2 ? .true : Condition.Status(rawValue: parts[2].lowercased().capitalizedFirst)
        guard let kind, let status else { return nil }
        self = .condition(kind, status)
    }

    package var description: String {
        switch self {
        case .condition(let kind, let status): "condition \(kind.rawValue) is \(status.rawValue)"
        case .deletion: "deleted"
        }
    }

    package var defaultValueDescription: String { "condition=Ready" }
}

extension String {
    /// `true` as `True`.
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
