import ReconcilerModel

/// Which revision last changed a bottle, kept while HEAD stays: the passes of a controller ask for it again and again,
/// and git must walk the history for each answer.
actor ChangeMemory {
    private var head: Revision?
    private var changes: [Identity: Revision?] = [:]

    /// The revision that all answers are of; nil while there are none.
    var known: Revision? { head }

    /// The last change of a bottle as of `head`: nil when that is not known, `.some(nil)` when there never was one.
    func change(of bottle: Identity, at head: Revision) -> Revision?? {
        head == self.head ? changes[bottle] : nil
    }

    func remember(_ change: Revision?, of bottle: Identity, at head: Revision) {
        if self.head != head {
            self.head = head
            changes = [:]
        }
        changes[bottle] = .some(change)
    }

    /// Records that HEAD moved by commits that changed these bottles and no others.
    func advance(from old: Revision, to new: Revision, changed: [Identity: Revision]) {
        guard head == old else { return }
        head = new
        for (bottle, revision) in changed { changes[bottle] = .some(revision) }
    }
}
