import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform

extension BottleError {
    /// Any error as one that a person can act on.
    package init(wrapping error: any Error) {
        switch error {
        case let error as BottleError: self = error
        case let error as EngineError:
            self.init(
                "engine-refused",
                "the Docker engine did not do what was asked",
                remedy: "mend what it says, then run the command again: nothing that was done is lost",
                cause: "\(error)"
            )
        case let error as SystemError:
            self.init(
                "system-refused",
                "\(error)",
                remedy: "look whether the folder can be written and its disk has room, then run the command again"
            )
        case let error as InvalidValue: self.init("invalid-value", "\(error)")
        case is CancellationError: self.init("interrupted", "interrupted; run the command again to go on")
        default: self.init("internal", "something went wrong that bottle did not expect", cause: "\(error)")
        }
    }

    /// Living agents would end, and nobody agreed to that.
    package static func needsYes(_ bottles: [Identity]) -> BottleError {
        BottleError(
            "needs-yes",
            "this would end and replace the living agent of \(bottles.map(\.name).joined(separator: ", "))",
            remedy: "add --yes to do it; the agent was not touched"
        )
    }
}
