import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform

extension BottleError {
    /// Turns any error into one that a person can act on.
    package init(wrapping error: any Error) {
        switch error {
        case let error as BottleError: self = error
        case let error as EngineError:
            self.init(
                .engineRefused,
                "the Docker engine did not do what was asked",
                remedy: "mend what it says, then run the command again: nothing that was done is lost",
                cause: "\(error)"
            )
        case let error as SystemError:
            self.init(
                .systemRefused,
                "\(error)",
                remedy: "look whether the folder can be written and its disk has room, then run the command again"
            )
        case let error as InvalidValue: self.init(.invalidValue, "\(error)")
        case is CancellationError: self.init(.interrupted, "interrupted; run the command again to go on")
        default: self.init(.internal, "something went wrong that bottle did not expect", cause: "\(error)")
        }
    }
}
