import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

/// What a program that ran to its end left behind.
struct Run: Sendable, CustomStringConvertible {
    /// The exit status; 128 and the signal's number when a signal ended it.
    let status: Int32
    let output: String
    let errors: String

    init(_ outcome: Program.Outcome) {
        status =
            switch outcome.status {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            }
        output = String(decoding: outcome.output, as: UTF8.self)
        errors = String(decoding: outcome.errors, as: UTF8.self)
    }

    var description: String { "status \(status)\n\(output)\n\(errors)" }

    /// Everything that was printed.
    var text: String { output + errors }

    /// Standard output as exactly one JSON document.
    func document(sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
        do {
            return try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
        } catch {
            Issue.record("standard output is not one JSON document: \(self)", sourceLocation: sourceLocation)
            throw error
        }
    }

    /// The actions of all bottles in a plan or a result, as text: `copy container/egress-proxy`.
    ///
    /// - Parameter outcome: only those that came to this.
    func actions(outcome: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String] {
        try document(sourceLocation: sourceLocation)["bottles"].list.flatMap(\.["actions"].list)
            .filter { outcome == nil || $0["outcome"].text == outcome }
            .map { "\($0["verb"].text) \($0["object"].text)" }
    }
}
