/// The place that a pass has among those that work on the engine at once.
///
/// A pass gives it up while it brings images: the wait for another bottle's build, or for its own, takes minutes and
/// asks nothing of the engine. Precondition of giving it up: the pass holds no lock but its bottle's, so that nobody who
/// has a place waits for one who has none.
struct PassPlace: Sendable {
    let leave: @Sendable () async -> Void
    /// Returns once the pass has a place again; throws `CancellationError`.
    let comeBack: @Sendable () async throws -> Void
    /// Passed by whoever brings an image, once the image's lock is its own.
    let builds: Turnstile
}
