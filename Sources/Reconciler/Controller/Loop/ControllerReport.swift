package import ReconcilerModel
package import ReconcilerProposals

/// What a controller tells while it runs.
package enum ControllerReport: Sendable {
    /// It looks after these bottles, as of this revision; those that changed have a pass to come.
    case watching([Identity], changed: [Identity], revision: String)
    /// A pass begins.
    case began(Identity, PassID)
    /// A pass goes on.
    case progress(Identity, PassID, PlanExecutor.Progress)
    /// A pass ended. One that found nothing to do is told too.
    case ended(PassResult)
    /// A pass removed what was left of a bottle that a commit deleted, or as much of it as could be.
    case removed(Identity, PassID, isComplete: Bool)
    /// An agent asks for something.
    case proposed(Proposal)
    /// A pass could not even say how it went.
    case failed(Identity, PassID, BottleError)
    /// A pass healed a bottle that was healed so often of late that the next heal has to wait so long.
    case healedTooOften(Identity, PassID?, rest: Duration)
    /// Something that all bottles wait for does not work; told once.
    case trouble(BottleError)
    /// What did not work does again.
    case recovered(Subsystem)
    /// Asked to stop: passes under way are finished.
    case stopping
}
