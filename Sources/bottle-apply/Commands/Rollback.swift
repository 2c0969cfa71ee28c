import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerState

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a bottle's desired state what it was at an earlier revision, by a new commit.",
        discussion: """
            Its manifest and its remediations as they were then; nothing of the history is lost. A bottle that was \
            deleted meanwhile comes back, without its old home.

              bottle history dev
              bottle rollback dev 3f2a91c --reason 'the new route was a mistake'
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @Argument(help: "The revision: its first digits, HEAD, or HEAD~N.")
    var revision: String

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        guard let repository = try context.openRepository() else { throw BottleError.missing(identity) }
        let old = try await repository.revision(named: revision)
        let edit = OperatorEdit(
            context: context,
            identity: identity,
            kind: .rollback,
            reason: reason ?? "roll \(identity) back to \(old.short)",
            assumesYes: yes
        )
        let base = try await edit.base()
        guard let then = try await repository.snapshot(at: old).desired(of: identity, at: base.moment) else {
            throw BottleError(
                .notFound,
                "bottle \(identity) was not desired at \(old.short)",
                remedy: "`bottle history \(identity)` lists its revisions; `bottle delete \(identity)` removes it"
            )
        }
        let files = base.snapshot.remediationFiles()[identity] ?? [:]
        let present = try await repository.snapshot(at: old)
        guard
            base.snapshot.bottles[identity] != present.bottles[identity]
                || DesiredRepository.remediations(in: files)
                    != DesiredRepository.remediations(
                        in: present.remediationFiles()[identity] ?? [:]
                    )
        else {
            throw BottleError(.alreadyDesired, "bottle \(identity) is desired as at \(old.short) already")
        }
        let ended = then.endedRemediations(afterDeletion: base.state == nil)
        let after = DesiredRepository.remedied(
            then.declared,
            then.remedied.outcomes.map(\.remediation).filter { !ended.contains($0) },
            at: base.moment
        )
        try await edit.perform(
            from: base,
            to: after,
            telling: ["back to \(old.short)"] + ended.map { "left out, since it has ended: \($0.name)" }
        ) { repository in
            try await repository.rollBack(
                identity,
                to: old,
                reason: edit.reason,
                at: base.moment,
                expecting: base.snapshot.revision
            )
        }
    }
}
