import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// An operator's edit of one bottle's desired state: shown, confirmed, committed on record, and made so by a pass.
///
/// If the process dies before the commit nothing has changed; after it, any pass goes on from there.
struct OperatorEdit {
    let context: CommandContext
    let identity: Identity
    /// What the audit log calls it.
    let kind: AuditKind
    let reason: String
    /// Whether nothing is asked.
    let assumesYes: Bool
    /// The proposal that it approves, if any, and what was written in place of what that asks for.
    var approved: (proposal: Proposal, edited: String?)?

    /// What is desired, as it was looked at.
    struct Base: Sendable {
        var snapshot: DesiredSnapshot
        var moment: Timestamp
        /// nil: the bottle is not desired.
        var state: DesiredState?

        /// The highest number of a remediation that is noted.
        func lastNumber(of identity: Identity) -> Int {
            DesiredRepository.lastNumber(noted: snapshot.others[DesiredRepository.numberFile(of: identity)])
        }
    }

    /// Reads what is desired now.
    ///
    /// - Throws: `BottleError` `not-found` when nothing was ever applied.
    func base() async throws -> Base {
        guard let snapshot = try await context.snapshot() else { throw BottleError.missing(identity) }
        let moment = CommandContext.now()
        return Base(
            snapshot: snapshot,
            moment: moment,
            state: try snapshot.desired(of: identity, at: moment)
        )
    }

    /// The same, of a bottle that is desired.
    func desired() async throws -> (base: Base, state: DesiredState) {
        let base = try await base()
        guard let state = base.state else { throw BottleError.missing(identity) }
        return (base, state)
    }

    /// Takes a step of remediations.
    ///
    /// What was shown is what is committed: when what is desired of the bottle moved meanwhile, nothing is.
    func take(_ step: RemediationStep, from base: Base, _ state: DesiredState) async throws {
        guard let repository = try context.openRepository() else { throw BottleError.missing(identity) }
        let author = await repository.operatorName()
        let outcome = try state.taking(
            step,
            by: author,
            at: base.moment,
            after: base.lastNumber(of: identity)
        )
        let names =
            outcome.made.map { "+ \($0.name): \($0.change.text)\($0.limits.map { " (\($0.text))" } ?? "")" }
            + (outcome.withdrawn + outcome.spent).map { "- \($0.remediation.name): \($0.remediation.change.text)" }
        try await perform(from: base, to: outcome.after, telling: names) { repository in
            try await repository.commit(
                step,
                for: identity,
                at: base.moment,
                expecting: base.snapshot.revision
            ).revision
        }
    }

    /// Shows what `after` means, asks, commits, and runs the bottle's pass.
    ///
    /// - Parameters:
    ///   - after: the manifest, with its remediations, that the commit makes.
    ///   - notes: what the commit does, in lines.
    ///   - commit: nil: there was nothing to commit.
    func perform(
        from base: Base,
        to after: RemediedBottle,
        telling notes: [String],
        commit: (DesiredRepository) async throws -> Revision?
    ) async throws {
        let before = base.state?.remedied.manifest
        let authority = Authority.changes(from: before, to: after.manifest)
        let engine = try await context.engine()
        defer { engine.close() }
        let installation = try await context.installation(engine: engine)
        let plan = try await plan(for: after, installation)
        let mayEndAgent = try confirm(plan, authority, notes)
        let edit = AuditedEdit(identity, from: before, to: after.manifest)
        func record() async throws -> Revision? {
            let told = approved.map { "\($0.proposal.id): \(reason)" } ?? reason
            return try await installation.recording(kind, of: [edit], reason: told, now: CommandContext.now) {
                try await commit(installation.repository)
            }
        }
        let revision: Revision?
        if let (proposal, edited) = approved {
            let ruling = ProposalDecision(installation.state, installation.repository, now: CommandContext.now)
            revision = try await ruling.approve(proposal, edited: edited, record)
        } else {
            revision = try await record()
        }
        let printer = ProgressPrinter(console: context.console, verbose: context.isVerbose)
        let pass = BottlePass(identity, in: installation, time: .system) { printer.show($0, $1) }
        guard let result = try await pass.runIfDesired(mayEndAgent: mayEndAgent, secrets: .asNeeded) else {
            throw BottleError(.notFound, "the bottle was deleted meanwhile", at: identity.name)
        }
        try PassReport(context: context).show([result], authority: [identity: authority], revision: revision?.id)
    }

    private func plan(for after: RemediedBottle, _ installation: Installation) async throws -> Plan {
        let credentials = try context.readingCredentials(state: installation.state, settings: installation.settings)
        let reader = SubjectReader(
            state: installation.state,
            credentials: credentials,
            supervision: installation.supervision(of:)
        )
        let subject = try await reader.subject(after, revision: "")
        let assessor = Assessor(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: true
        )
        let plan = try await assessor.assess(subject, inventory: try await Inventory.take(from: installation.engine))
            .plan
        if let problem = plan.findings.compactMap(\.error).first { throw problem }
        return plan
    }

    /// - Returns: whether a living agent may be ended.
    private func confirm(_ plan: Plan, _ authority: [AuthorityChange], _ notes: [String]) throws -> Bool {
        let console = context.console
        let asks = !assumesYes && console.terminal.inputIsTerminal && console.terminal.errorIsTerminal
        if asks || !context.format.isDocument {
            let style = Style(isOn: console.colorsErrors)
            for note in notes { console.err("\(identity): \(VisibleText.line(note, limit: 200))") }
            console.err(PlanText.of(plan, style: style))
            if !authority.isEmpty { console.err(AuthorityText.of(authority, style: style)) }
        }
        guard !assumesYes else { return true }
        guard asks else {
            if plan.replacesAgent { throw BottleError.needsYes([identity]) }
            return false
        }
        let question = plan.replacesAgent ? "Do this, and replace the living agent of \(identity)?" : "Do this?"
        guard console.confirm(question) else { throw BottleError(.declined, "nothing was changed") }
        return true
    }
}
