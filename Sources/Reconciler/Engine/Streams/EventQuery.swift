package import ReconcilerTime

/// Which events to send.
package struct EventQuery: Sendable, Hashable {
    /// The start, which may be in the past; now if absent.
    package var since: Timestamp?
    /// The end of the stream; endless if absent.
    package var until: Timestamp?
    /// Wanted values by filter: `type`, `label`, `container`, `event` ….
    package var filters: [String: [String]]

    /// A query for events.
    package init(since: Timestamp? = nil, until: Timestamp? = nil, filters: [String: [String]] = [:]) {
        self.since = since
        self.until = until
        self.filters = filters
    }
}
