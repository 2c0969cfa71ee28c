import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState

struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let an agent have what it asks for.",
        discussion: """
            Commits what is shown as remediations, runs the bottle's pass, and tells the agent once it is in force. \
            What is approved is what was shown: when what is desired of the bottle moved meanwhile, nothing is \
            committed.

              bottle approve 3f2a91c0 --reason 'fine, but only reading'
              bottle approve 3f2a91c0 --for 2h
              bottle approve 3f2a91c0 --edit
            """
    )

    @Argument(help: "The proposal: the first digits of its id.")
    var id: String

    @OptionGroup var limitArguments: LimitArguments

    @Flag(name: .long, help: "Edit what is asked for first; the agent is told what became of it.")
    var edit = false

    @Option(name: .long, help: "Only when this is still the candidate's hash, as `proposals -o json` has it.")
    var candidate: String?

    @Option(name: .shortAndLong, help: "What the agent is told; it goes into the history, too.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if edit, candidate != nil { throw ValidationError("--candidate and --edit don't go together") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let found = try await ProposalFinder(context: context).waiting(id)
        let proposal = found.proposal
        var operatorEdit = OperatorEdit(
            context: context,
            identity: proposal.bottle,
            kind: .approval,
            reason: reason ?? "approve \(proposal.id.text.prefix(12)) of \(proposal.bottle)",
            assumesYes: yes,
            approved: (proposal, nil)
        )
        let (base, state) = try await operatorEdit.desired()
        guard let folder = try StateFolder.open(context.paths.state) else { throw BottleError.missing(proposal.bottle) }
        let dockerfile = try? AgentDockerfile(of: state, contexts: folder.contexts).inForce()
        func review(_ proposal: Proposal) -> ProposalReview {
            ProposalReview(proposal, found.answer, in: state, dockerfile: dockerfile, at: base.moment)
        }
        var chosen = review(proposal)
        if let candidate, candidate != chosen.candidate.hex {
            throw BottleError(
                .candidateChanged,
                "the proposal comes to something else by now",
                at: proposal.bottle.name,
                remedy: "look again: bottle proposals show \(proposal.id.text.prefix(12))"
            )
        }
        if edit {
            guard let edited = try await edited(proposal, review, context) else {
                return try PassReport(context: context).showNothing("nothing was changed: the proposal still waits")
            }
            chosen = edited
            operatorEdit.approved = (proposal, edited.proposal.argument)
        }
        if case .refused(let reasons) = chosen.verdict {
            throw BottleError(
                .notApprovable,
                "it does not fit what is desired now: \(reasons.joined(separator: "; "))",
                at: proposal.bottle.name,
                remedy: "reject it with the reason, approve it with --edit, or change the manifest"
            )
        }
        let limits = try limitArguments.limits(from: base.moment)
        if context.console.terminal.inputIsTerminal, !context.format.isDocument {
            let style = Style(isOn: context.console.colorsErrors)
            context.console.err(ProposalView.whole(chosen, refusals: [], style: style))
        }
        let drafts = try await drafts(for: chosen, limits, operatorEdit.reason, state, context)
        try await operatorEdit.take(
            RemediationStep(adding: drafts, reason: operatorEdit.reason),
            from: base,
            state
        )
    }

    /// The remediations that approve it; an image is built before anything else changes.
    private func drafts(
        for review: ProposalReview,
        _ limits: GrantLimits?,
        _ reason: String,
        _ state: DesiredState,
        _ context: CommandContext
    ) async throws -> [RemediationDraft] {
        let drafts = review.drafts(limits: limits, reason: reason)
        guard drafts.isEmpty else { return drafts }
        if case .dockerfile(let text) = review.verdict {
            return [try await image(of: text, review, limits, reason, state, context)]
        }
        throw BottleError(
            .alreadyDesired,
            "what it asks for is in force already",
            at: review.proposal.bottle.name,
            remedy: "the next pass tells the agent"
        )
    }

    /// Builds the image; a build that fails is the answer to the agent, too, and nothing else changed.
    private func image(
        of dockerfile: String,
        _ review: ProposalReview,
        _ limits: GrantLimits?,
        _ reason: String,
        _ state: DesiredState,
        _ context: CommandContext
    ) async throws -> RemediationDraft {
        let proposal = review.proposal
        guard limits == nil else {
            throw BottleError(
                .invalidLimits,
                "a Dockerfile can't be limited: the agent would be replaced when it ends",
                at: proposal.bottle.name
            )
        }
        let engine = try await context.engine()
        defer { engine.close() }
        let installation = try await context.installation(engine: engine)
        context.console.err("\(proposal.bottle)  building what is asked for; nothing else changes meanwhile …")
        do {
            let build = CapabilityBuild(installation) { line in
                if context.isVerbose { context.console.err(VisibleText.line(line, limit: 400)) }
            }
            let built = try await build.build(dockerfile: dockerfile, for: proposal.bottle, state: state)
            return RemediationDraft(
                .dockerfileReplaced(built.replacement),
                reason: reason,
                proposal: proposal.id.text,
                candidate: review.candidate
            )
        } catch let error as BottleError where [.buildFailed, .dockerfileRefused].contains(error.code) {
            try await ProposalDecision(installation.state, installation.repository, now: CommandContext.now)
                .fail(proposal, words: [error.message, error.cause].compactMap { $0 }.joined(separator: "\n"))
            throw error
        }
    }

    /// The proposal as an operator wants it; nil: they left it as it is.
    private func edited(
        _ proposal: Proposal,
        _ review: (Proposal) -> ProposalReview,
        _ context: CommandContext
    ) async throws -> ProposalReview? {
        let hints = ["What \(proposal.bottle) asks for with \(proposal.tool.rawValue); what is saved is approved."]
        return try await EditorSession("proposal", of: proposal.bottle, in: context)
            .edit(proposal.argument, hints: hints) { text in
                let changed: Proposal
                do {
                    changed = try Proposal(
                        id: proposal.id,
                        bottle: proposal.bottle,
                        tool: proposal.tool,
                        argument: text,
                        justification: proposal.justification,
                        time: proposal.time
                    )
                } catch let refusal as ProposalRefusal {
                    throw BottleError(.notApprovable, refusal.reasons.joined(separator: "; "))
                }
                let found = review(changed)
                if case .refused(let reasons) = found.verdict {
                    throw BottleError(.notApprovable, reasons.joined(separator: "; "))
                }
                return found
            }
    }
}
