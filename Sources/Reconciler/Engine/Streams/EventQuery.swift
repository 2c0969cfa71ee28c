/// Which events to send.
package struct EventQuery: Sendable, Hashable {
    /// The start, which may be in the past; now if absent.
    package var since: EngineTime?
    /// The end of the stream; endless if absent.
    package var until: EngineTime?
    /// Wanted values by filter: `type`, `label`, `container`, `event` ….
    package var filters: [String: [String]]

    /// A query for events.
    package init(since: EngineTime? = nil, until: EngineTime? = nil, filters: [String: [String]] = [:]) {
        self.since = since
        self.until = until
        self.filters = filters
    }
}
