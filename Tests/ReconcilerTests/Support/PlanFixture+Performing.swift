import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import SeededRandom
import Synchronization

extension PlanFixture {
    /// A step of a plan that must not happen.
    struct Broken: Error, CustomStringConvertible {
        let action: Action
        let why: String
        var description: String { "'\(action.text)': \(why)" }
    }

    /// An action that failed.
    struct Failed: Error, CustomStringConvertible {
        let action: Action
        let error: any Error
        let plan: Plan
        var description: String { "'\(action.text)': \(error)\n\(plan.text)" }
    }

    /// What comes of an action that was told to go on.
    private enum Event: Sendable {
        /// The container is made, and waits for its start.
        case mayStart(Int, CheckedContinuation<Void, any Error>)
        case ended(Int, (any Error)?)
    }

    /// Performs a plan, one action after another, in a random order that its dependencies allow.
    ///
    /// No call may give the agent a way out that neither the rules in force when the plan begins nor the wanted ones
    /// allow, or make a volume without labels.
    /// Images alone are brought first, since containers can't be described without them; the next plan has the rest.
    /// - Parameter calls: after how many calls that change something the process is killed; nil: never.
    mutating func perform(
        _ planned: Planned,
        killedAfter calls: Int? = nil,
        using rng: inout SplitMix64
    ) async throws {
        let plan = planned.plan
        record.prepare(for: plan, desired: planned.desired)
        learnRules(of: planned.desired)
        let (rules, allowed) = (rules, allowed(planned.desired, in: await engine.world))
        await engine.watch { world in
            WaysOut(world).now(rules).subtracting(allowed).sorted().map { "gives the agent a way out: \($0)" }
                + world.volumes.values.map(\.summary).filter { $0.name.hasPrefix("bottle-") && $0.labels.isEmpty }
                .map { "makes \($0.name) without labels" }
        }
        let life = Life(calls)
        let faults = FaultInjector()
        await faults.add(.refuse(.transport("the process is dead")), times: .max) { life.ends(before: $0) }
        let writer = RecordWriter(record) { _ in }
        let performer = ActionPerformer(
            engine: FaultyEngine(engine, faults: faults),
            desired: planned.desired,
            installation: record.installation,
            secrets: Dictionary(uniqueKeysWithValues: manifest.secrets.map { ($0.name, SecretValue("s3cret")) }),
            networks: networkIDs(planned),
            recordWriter: writer,
            contexts: SampleEngine.contexts.merging([.agent: Self.context]) { $1 },
            patience: .seconds(5),
            output: { _, _ in }
        )
        do {
            try await run(plan, planned.desired, performer, using: &rng)
        } catch  where life.isOver && !(error is Broken) {
            // Killed: the next plan goes on from here.
        }
        await engine.watch { _ in [] }
        record = await writer.current
    }

    /// The calls that a process can make before it is killed.
    private final class Life: Sendable {
        private let left: Mutex<Int?>

        init(_ calls: Int?) { left = Mutex(calls) }

        var isOver: Bool { left.withLock { $0.map { $0 < 0 } ?? false } }

        func ends(before call: EngineCall) -> Bool {
            left.withLock { left in
                if call.isMutating, let calls = left { left = calls - 1 }
                return left.map { $0 < 0 } ?? false
            }
        }
    }

    /// What the agent's image is built from, by either name of a Dockerfile.
    private static let context = BuildContext(
        Dictionary(
            uniqueKeysWithValues: ["Dockerfile", "b/Dockerfile"].map {
                ($0, .file(Array("FROM \(SampleEngine.base)\nUSER node\n".utf8), isExecutable: false))
            }
        )
    )

    private func run(
        _ plan: Plan,
        _ desired: DesiredBottle,
        _ performer: ActionPerformer,
        using rng: inout SplitMix64
    ) async throws {
        let images = plan.actions.indices.filter { if case .image = plan.actions[$0].object { true } else { false } }
        var left = Set(images.isEmpty ? Array(plan.actions.indices) : images)
        var done: Set<Int> = []
        var made: [Int: CheckedContinuation<Void, any Error>] = [:]
        let (stream, events) = AsyncStream.makeStream(of: Event.self)
        var iterator = stream.makeAsyncIterator()
        var failure: (any Error)?
        await withTaskGroup(of: Void.self) { group in
            while !left.isEmpty, failure == nil {
                let ready = left.sorted().filter { index in
                    let action = plan.actions[index]
                    return action.after.allSatisfy(done.contains)
                        && (made[index] == nil || action.startsAfter.allSatisfy(done.contains))
                }
                guard !ready.isEmpty else {
                    failure = Broken(action: plan.actions[left.min() ?? 0], why: "waits for ever\n\(plan.text)")
                    break
                }
                let index = rng.pick(ready)
                let action = plan.actions[index]
                do {
                    if action.object == .container(.agent),
                        made[index] != nil || [.start, .restart].contains(action.verb)
                    {
                        try await check(action, sidecarsOf: desired)
                    }
                } catch {
                    failure = error
                    break
                }
                if let start = made.removeValue(forKey: index) {
                    start.resume()
                } else {
                    group.addTask {
                        do {
                            try await performer.perform(action) {
                                try await withCheckedThrowingContinuation { start in
                                    let yielded = events.yield(.mayStart(index, start))
                                    if case .terminated = yielded { start.resume(throwing: CancellationError()) }
                                }
                            }
                            events.yield(.ended(index, nil))
                        } catch {
                            events.yield(.ended(index, error))
                        }
                    }
                }
                switch await iterator.next() {
                case .mayStart(let index, let start): made[index] = start
                case .ended(let index, let error):
                    failure = error.map { Failed(action: plan.actions[index], error: $0, plan: plan) }
                    done.insert(index)
                    left.remove(index)
                case nil:
                    // The test was cancelled, as at its time limit.
                    failure = CancellationError()
                }
                if failure == nil, let violation = await engine.violations.first {
                    failure = Broken(action: action, why: "\(violation)\n\(plan.text)")
                }
            }
            events.finish()
            while let event = await iterator.next() {
                if case .mayStart(let index, let start) = event { made[index] = start }
            }
            for start in made.values { start.resume(throwing: CancellationError()) }
        }
        if let failure { throw failure }
    }

    /// The agent begins only when every sidecar is up, has loaded what it should, and is on its networks.
    private func check(_ action: Action, sidecarsOf desired: DesiredBottle) async throws {
        let observed = try await observed(desired)
        for wanted in desired.containers where wanted.role != .agent {
            let role = wanted.role.rawValue
            guard let sidecar = observed.containers.first(where: { $0.name == wanted.name }), sidecar.isRunning else {
                throw Broken(action: action, why: "the agent begins before \(role) runs")
            }
            guard sidecar.loaded?.inForce == wanted.generation || sidecar.loaded?.refusal != nil else {
                throw Broken(action: action, why: "the agent begins before \(role) has its rules")
            }
            let names = Set(wanted.endpoints.compactMap { desired.network($0.network)?.name })
            guard Set(sidecar.endpoints.map(\.networkName)) == names else {
                throw Broken(action: action, why: "the agent begins before \(role) is connected")
            }
        }
    }
}
