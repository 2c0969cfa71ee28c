import ReconcilerEngine
import ReconcilerModel

extension EngineError {
    /// Endings of the engine's messages when its host lacks a resource, or when it shuts down.
    private static let endings = [
        "no space left on device", "disk quota exceeded", "cannot allocate memory", "too many open files",
        "too many open files in system", "input/output error", "context canceled",
    ]

    /// Whether a build failed because of the engine's host, which says nothing about the Dockerfile.
    ///
    /// A step that ended with an exit code never counts, even 137: any step can end so, and the engine does not say
    /// what killed it. For the rest the engine has only its message. The system writes the end of the message, but an
    /// instruction can put its own words there (20.10: `Invalid signal: …`). So callers must not retry forever because
    /// of this.
    var isHostTrouble: Bool {
        let words: String
        switch self {
        case .failed(let message): words = message
        case .http(let failure): words = failure.message
        default: return false
        }
        // containerd adds this when it has no code for an error.
        let bare = words.hasSuffix(": unknown") ? String(words.dropLast(9)) : words
        return Self.endings.contains { bare == $0 || bare.hasSuffix(": \($0)") }
    }
}

extension BottleError {
    /// The error of a build that failed because of the engine's host.
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
