import ReconcilerEngine
package import ReconcilerModel

/// What was read from one sidecar's log since the batch before: kept wholly or not at all.
package struct RefusalBatch: Sendable, Hashable {
    package var bottle: Identity
    /// The sidecar's container, by id.
    package var container: String
    package var refusals: [RefusedRequest]
    /// How many lines the sidecar says it did not write.
    package var lost: Int
    /// How many lines were no sidecar's.
    package var unreadable: Int
    /// How far the log is read with this batch.
    package var position: LogPosition

    package init(
        bottle: Identity,
        container: String,
        refusals: [RefusedRequest],
        lost: Int = 0,
        unreadable: Int = 0,
        position: LogPosition
    ) {
        self.bottle = bottle
        self.container = container
        self.refusals = refusals
        self.lost = lost
        self.unreadable = unreadable
        self.position = position
    }
}

/// Where what followers read goes.
package protocol RefusalSink: Sendable {
    /// How far the logs of a bottle's containers are read, by container id.
    func positions(of bottle: Identity) async throws -> [String: LogPosition]
    /// Keeps a batch wholly, or throws and keeps nothing of it.
    func take(_ batch: RefusalBatch) async throws
}
