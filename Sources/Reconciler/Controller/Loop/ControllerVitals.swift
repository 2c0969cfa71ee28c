/// How a controller is doing, for whoever watches over it.
package struct ControllerVitals: Sendable, Hashable {
    /// What goes round and round as long as a controller runs.
    package enum Loop: String, Sendable, Hashable, CaseIterable {
        /// Begins the passes that are due. It sleeps while none is, but comes round when it is woken.
        case dispatcher
        /// Looks for commits of the desired state.
        case desiredState = "desired-state"
        /// Looks at the engine's lists.
        case timer
    }

    /// How many bottles it looks after.
    package var bottles: Int
    /// How many of them wait for a pass.
    package var waiting: Int
    /// How many have a pass under way.
    package var underWay: Int
    package var isStopping: Bool
    /// Whether the desired state was ever read whole.
    package var hasReadDesiredState: Bool
    /// Whether the engine's events are followed at the moment.
    package var followsEvents: Bool
    /// What does not work at the moment and that all bottles wait for.
    package var troubles: Set<Subsystem>
    /// For how long each loop has not come round.
    package var silence: [Loop: Duration]

    package init(
        bottles: Int,
        waiting: Int,
        underWay: Int,
        isStopping: Bool,
        hasReadDesiredState: Bool,
        followsEvents: Bool,
        troubles: Set<Subsystem>,
        silence: [Loop: Duration]
    ) {
        self.bottles = bottles
        self.waiting = waiting
        self.underWay = underWay
        self.isStopping = isStopping
        self.hasReadDesiredState = hasReadDesiredState
        self.followsEvents = followsEvents
        self.troubles = troubles
        self.silence = silence
    }

    /// What speaks against the controller being alive; empty: nothing, whatever goes on around it.
    package func stalls(at pace: ControllerPace) -> [String] {
        Loop.allCases.compactMap { loop in
            guard let silence = silence[loop], silence > pace.longestSilence(of: loop) else { return nil }
            return "the \(loop.rawValue) loop has not come round for \(silence.components.seconds) s"
        }
    }

    /// What keeps the controller from doing its work; empty: nothing.
    package var obstacles: [String] {
        var obstacles: [String] = []
        if isStopping { obstacles.append("it is stopping") }
        if !hasReadDesiredState { obstacles.append("the desired state was not read yet") }
        if troubles.contains(.desiredState) { obstacles.append("the desired state can't be read") }
        if !followsEvents { obstacles.append("the engine's events are not followed") }
        if troubles.contains(.engine) { obstacles.append("the engine's lists can't be read") }
        return obstacles
    }
}

extension ControllerPace {
    /// How long a loop that is well may take for one round, waiting for slow answers included.
    func longestSilence(of loop: ControllerVitals.Loop) -> Duration {
        switch loop {
        case .dispatcher: .seconds(10)
        case .desiredState: poll + .seconds(120)
        case .timer: interval * 2 + .seconds(240)
        }
    }
}

/// What all bottles wait for when it does not work.
package enum Subsystem: String, Sendable, Hashable, CaseIterable {
    case controlSocket = "the control socket"
    case desiredState = "the desired state"
    case events = "the engine's events"
    case engine = "the engine"
    case queue = "the queues of proposals"
}
