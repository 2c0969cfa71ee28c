package import ReconcilerModel

/// Counts what another sink keeps, once it is kept.
package struct CountedRefusals: RefusalSink {
    private let sink: any RefusalSink
    private let telemetry: Telemetry

    package init(_ sink: any RefusalSink, in telemetry: Telemetry) {
        self.sink = sink
        self.telemetry = telemetry
    }

    package func positions(of bottle: Identity) async throws -> [String: LogPosition] {
        try await sink.positions(of: bottle)
    }

    package func take(_ batch: RefusalBatch) async throws {
        try await sink.take(batch)
        telemetry.take(batch)
    }
}
