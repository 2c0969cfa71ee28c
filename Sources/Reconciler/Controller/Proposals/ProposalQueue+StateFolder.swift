package import ReconcilerModel
import ReconcilerProposals
package import ReconcilerState

extension ProposalQueue {
    /// The queue of a bottle in a state folder.
    package init(_ bottle: Identity, in state: StateFolder) {
        self.init(bottle, folder: "\(state.queue)/\(bottle.name)")
    }
}
