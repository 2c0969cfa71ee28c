package import ReconcilerPlatform

/// How often a controller looks.
package struct ControllerPace: Sendable, Hashable {
    /// Between two looks at the engine's lists.
    package var interval: Duration
    /// Between two looks at everything: files, what is loaded, images, secrets.
    package var sweep: Duration
    /// Between two looks at the desired state's head, where no message says that it moved.
    package var poll: Duration
    /// How long to gather events before a pass.
    package var debounce: Duration
    /// How many bottles have a pass at once.
    package var concurrency: Int
    package var backoff: Backoff
    /// Between starts of an agent that its `restart` starts again each time it ends.
    package var agentBackoff: Backoff
    /// What each bottle has for heals; far more than honest trouble needs.
    ///
    /// Heals are on record for good: who can end a sidecar again and again gets one each interval in the end.
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
