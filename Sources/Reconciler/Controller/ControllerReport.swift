package import ReconcilerModel

/// What a controller tells while it runs.
package enum ControllerReport: Sendable {
    /// It looks after these bottles, as of this revision.
    case watching([Identity], revision: String)
    /// A pass goes on.
    case progress(Identity, PlanExecutor.Progress)
    /// A pass ended. One that found nothing to do is told too.
    case ended(PassResult)
    /// A pass could not even say how it went.
    case failed(Identity, BottleError)
    /// Something that all bottles wait for does not work; told once.
    case trouble(BottleError)
    /// What did not work does again.
    case recovered(String)
    /// Asked to stop: passes under way are finished.
    case stopping
}
