/// One event while a pass acts.
package enum PassProgress: Sendable {
    case began(Action)
    case ended(PerformedAction)
    /// Another process holds a lock that this pass needs; the text names the holder.
    case waiting(String)
    /// A line of a build or a pull.
    case output(Action, String)
    /// A fault that did not make its action fail.
    case warning(String)
}
