/// One broken expectation of an attempt.
package struct AttemptFault: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// Something reached a server that should not have.
        case arrival
        /// A credential reached a place where it should not be.
        case credential
        /// Nothing reached a server although it should have.
        case missing
        /// No sidecar recorded its refusal.
        case record
        /// The client got another answer, or none.
        case client
        /// The attempt was never made.
        case driver
    }

    package var kind: Kind
    package var text: String

    package var description: String { text }
}
