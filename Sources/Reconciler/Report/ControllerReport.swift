/// What a controller reports while it runs.
package enum ControllerReport: Sendable {
    /// The bottles as of this revision; the changed ones get a pass.
    case watching([Identity], changed: [Identity], revision: Revision)
    /// A pass begins.
    case began(Identity, PassID)
    /// A pass goes on.
    case progress(Identity, PassID, PassProgress)
    /// A pass ended, also one that found nothing to do.
    case ended(PassResult)
    /// A pass removed a deleted bottle, or as much of it as possible.
    case removed(Identity, PassID, isComplete: Bool)
    /// An agent asks for something.
    case proposed(Proposal)
    /// A pass failed without a result.
    case failed(Identity, PassID, BottleError)
    /// A pass healed a bottle that has spent its heal budget: the next heal waits this long.
    case healedTooOften(Identity, PassID?, rest: Duration)
    /// A subsystem does not work; reported once.
    case trouble(BottleError)
    /// A subsystem works again.
    case recovered(Subsystem)
    /// The controller was asked to stop; passes under way finish.
    case stopping
}
