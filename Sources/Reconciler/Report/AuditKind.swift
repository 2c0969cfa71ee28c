/// What a line of the audit log is about; docs/audit.md lists the words, which are a contract.
package enum AuditKind: String, Sendable, Hashable, CaseIterable {
    /// Something that is about to be done: an edit of the desired state, or the actions of one stage of a pass.
    ///
    /// Durable before the first of it is begun. Without a line that answers it, how far it came is not known.
    case intent
    /// A manifest was committed by `apply`.
    case apply
    /// The desired state was edited otherwise.
    case edit
    /// A bottle was taken out of the desired state.
    case delete
    case rollback
    case grant
    case revoke
    /// An operator approved a proposal.
    case approval
    /// An operator rejected a proposal.
    case rejection
    /// One action and what became of it.
    case action
    /// Drift that a pass acted on: what it was, and whether it is mended.
    case heal
    /// A signature over the log up to a line.
    case checkpoint
    /// The file before this one was full.
    case rotated
    /// What stands between the line before and this one was left by a writer that died in the middle of it.
    case tornLine = "torn-line"
}
