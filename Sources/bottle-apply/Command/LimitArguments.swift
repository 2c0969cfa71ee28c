import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

/// How long, and how often, what is granted holds.
struct LimitArguments: ParsableArguments {
    @Option(name: .customLong("for"), help: "For how long, such as 30m or 2h.")
    var span: TimeSpan?

    @Option(name: .long, help: "For how many requests.")
    var uses: Int?

    @Flag(name: .long, help: "For one request: --uses 1.")
    var once = false

    func validate() throws {
        if once, uses != nil { throw ValidationError("--once and --uses don't go together") }
        if let span, span.duration < .seconds(1) { throw ValidationError("--for must be a second at least") }
    }

    /// The limits that are named.
    var request: LimitRequest { LimitRequest(span: span?.duration, uses: once ? 1 : uses) }
}
