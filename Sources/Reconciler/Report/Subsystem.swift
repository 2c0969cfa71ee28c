/// A part of the system that every bottle needs.
package enum Subsystem: String, Sendable, Hashable, CaseIterable {
    case controlSocket = "the control socket"
    case desiredState = "the desired state"
    case events = "the engine's events"
    case engine = "the engine"
    case queue = "the queues of proposals"
}
