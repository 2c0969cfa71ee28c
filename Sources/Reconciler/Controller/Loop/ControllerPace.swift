package import ReconcilerPlatform

/// The intervals and limits of a controller.
package struct ControllerPace: Sendable, Hashable {
    /// Between two looks at the engine's lists.
    package var interval: Duration
    /// Between two looks at everything: files, what is loaded, images, secrets.
    package var sweep: Duration
    /// Between two looks at the desired state's head, if no message says that it moved.
    package var poll: Duration
    /// How long to gather events before a pass.
    package var debounce: Duration
    /// The number of passes at the same time.
    package var concurrency: Int
    package var backoff: Backoff
    /// Between restarts of an agent that ends again and again.
    package var agentBackoff: Backoff
    /// The budget of each bottle for heals; far more than honest failures need.
    package var healing: TokenBucket

    package init(
        interval: Duration = .seconds(30),
        sweep: Duration = .seconds(300),
        poll: Duration = .milliseconds(100),
        debounce: Duration = .milliseconds(50),
        concurrency: Int = 8,
        backoff: Backoff = Backoff(),
        agentBackoff: Backoff = Backoff(base: .seconds(1), cap: .seconds(300)),
        healing: TokenBucket = TokenBucket(limit: 240, interval: .seconds(30))
    ) {
        self.interval = interval
        self.sweep = sweep
        self.poll = poll
        self.debounce = debounce
        self.concurrency = concurrency
        self.backoff = backoff
        self.agentBackoff = agentBackoff
        self.healing = healing
    }
}
