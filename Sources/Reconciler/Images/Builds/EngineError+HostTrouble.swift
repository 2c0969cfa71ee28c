import ReconcilerEngine
import ReconcilerModel

extension EngineError {
    /// Ends of what the engine says when its host lacks something, or when it is itself about to end.
    private static let endings = [
        "no space left on device", "disk quota exceeded", "cannot allocate memory", "too many open files",
        "too many open files in system", "input/output error", "context canceled",
    ]

    /// Whether the engine ended a build for a trouble of its host, which says nothing of the Dockerfile.
    ///
    /// A step that ended with a code of its own never is, whatever it printed; 137 neither, which any step can end with,
    /// and the engine does not say who killed one. For the rest the engine has nothing but words. Their end is the
    /// system's, but an instruction can have its own words there (20.10: `Invalid signal: …`): whoever tries again
    /// because of this must not do so forever.
    var isHostTrouble: Bool {
        let words: String
        switch self {
        case .failed(let message): words = message
        case .http(let failure): words = failure.message
        default: return false
        }
        // What containerd adds when it knows no code for an error.
        let bare = words.hasSuffix(": unknown") ? String(words.dropLast(9)) : words
        return Self.endings.contains { bare == $0 || bare.hasSuffix(": \($0)") }
    }
}

extension BottleError {
    /// A build ended for a trouble of the engine's host.
    static func hostTrouble(building image: DesiredImage, cause: String) -> BottleError {
        BottleError(
            .hostTrouble,
            "the engine's host could not carry out the build",
            at: image.reference.text,
            remedy: "see to what the engine says, such as to room on its disk (docker system df); nothing was changed, "
                + "a pass tries again by itself, an approval is to be given again",
            cause: cause
        )
    }
}
