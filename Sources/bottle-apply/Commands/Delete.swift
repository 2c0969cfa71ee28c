import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove bottles: their containers, networks and volumes, the agent's home included.",
        discussion: """
            The removal is a commit to the desired state; exactly the bottles' objects go, nothing else.

              bottle delete dev
              bottle delete dev reviewer --yes
            """
    )

    @Argument(help: "The bottles to remove.")
    var bottles: [String]

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @Flag(name: .long, help: "Succeed when a named bottle does not exist.")
    var ignoreNotFound = false

    @Option(name: .long, help: "Why, for the history of the desired state.")
    var reason: String?

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        var named: [Identity] = []
        for name in bottles {
            let identity = try Identity(name)
            if !named.contains(identity) { named.append(identity) }
        }
        guard let state = try StateFolder.open(context.paths.state),
            let repository = try DesiredRepository.open(in: state, environment: context.environment)
        else {
            if ignoreNotFound { return try report([], context) }
            throw BottleError.missing(named[0])
        }
        let snapshot = try await repository.snapshot()
        let records = JSONStore<BottleRecord>(folder: state.records, noun: "record")
        let identities = try named.filter { identity in
            // A delete that was killed half-way left the record: it is finished now.
            if try snapshot.bottles[identity] != nil || records.load(identity) != nil { return true }
            guard ignoreNotFound else { throw BottleError.missing(identity) }
            return false
        }
        guard !identities.isEmpty else { return try report([], context) }
        try confirm(context)
        let engine = try await context.engine()
        defer { engine.close() }
        let installation = try await context.installation(engine: engine)
        var removed: [PlanDocument.Bottle] = []
        var problems: [BottleError] = []
        let printer = ProgressPrinter(console: context.console, verbose: context.isVerbose)
        for identity in identities {
            let pass = BottlePass(identity, in: installation, time: .system) { printer.show($0, $1) }
            do {
                let performed = try await pass.delete(reason: reason ?? "delete \(identity)")
                removed.append(PlanDocument.Bottle(identity, performed: performed, preflight: .none))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // What keeps one bottle keeps no other.
                problems.append(BottleError(wrapping: error))
            }
        }
        if let problem = problems.first, removed.isEmpty { throw problem }
        for problem in problems { context.console.err(problem.text(Style(isOn: context.console.colorsErrors))) }
        try report(removed, context)
        if !problems.isEmpty { throw ExitStatus.failure }
    }

    private func report(_ removed: [PlanDocument.Bottle], _ context: CommandContext) throws {
        let document = PlanDocument(kind: .result, bottles: removed)
        func isWhole(_ bottle: PlanDocument.Bottle) -> Bool { bottle.actions.allSatisfy { $0.outcome == .done } }
        try context.show(document) {
            removed.isEmpty
                ? "nothing to delete"
                : removed.map { "\($0.identity): \(isWhole($0) ? "deleted" : "not all of it could be removed")" }
                    .joined(separator: "\n")
        }
        guard removed.allSatisfy(isWhole) else { throw ExitStatus.failure }
    }

    private func confirm(_ context: CommandContext) throws {
        guard !yes else { return }
        let names = bottles.joined(separator: ", ")
        guard context.console.terminal.inputIsTerminal && context.console.terminal.errorIsTerminal else {
            throw BottleError(
                .needsYes,
                "this would delete \(names), with the agent's home",
                remedy: "add --yes to do it; nothing was changed"
            )
        }
        guard context.console.confirm("Delete \(names), with the agent's home?") else {
            throw BottleError(.declined, "nothing was changed")
        }
    }
}
