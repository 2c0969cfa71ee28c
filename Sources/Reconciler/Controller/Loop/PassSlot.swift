/// A pass's slot among the passes that may use the engine at the same time.
///
/// A pass releases its slot while it gets images: waiting for a build takes minutes and costs the engine nothing.
/// Precondition of a release: the pass holds no lock but its bottle's, so that a pass with a slot never waits for one
/// without.
struct PassSlot: Sendable {
    let release: @Sendable () async -> Void
    /// Returns once the pass has a slot again; throws `CancellationError`.
    let reacquire: @Sendable () async throws -> Void
    /// Bounds the builds that run at the same time; a permit is taken after the image's own lock.
    let builds: AsyncSemaphore
}
