package import ReconcilerModel

/// The state of a controller, for health checks.
package struct ControllerVitals: Sendable, Hashable {
    /// The loops of a controller.
    package enum Loop: String, Sendable, Hashable, CaseIterable {
        /// Begins the passes that are due. It sleeps while none is due, but goes on when it is woken.
        case dispatcher
        /// Looks for commits of the desired state.
        case desiredState = "desired-state"
        /// Looks at the engine's lists.
        case timer
    }

    /// The number of bottles.
    package var bottles: Int
    /// The number of bottles that wait for a pass.
    package var waiting: Int
    /// The number of passes under way.
    package var underWay: Int
    package var isStopping: Bool
    /// Whether the desired state was read completely at least once.
    package var hasReadDesiredState: Bool
    /// Whether the engine's events are followed at the moment.
    package var followsEvents: Bool
    /// The subsystems that don't work at the moment.
    package var troubles: Set<Subsystem>
    /// The time since each loop's last heartbeat.
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

    /// Why the controller is not alive; empty: it is, even if its surroundings are not.
    package func stalls(at pace: ControllerPace) -> [String] {
        Loop.allCases.compactMap { loop in
            guard let silence = silence[loop], silence > pace.longestSilence(of: loop) else { return nil }
            return "the \(loop.rawValue) loop has not come round for \(silence.components.seconds) s"
        }
    }

    /// Why the controller can't do its work; empty: it can.
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
    /// The longest time between heartbeats of a healthy loop, with slow answers.
    func longestSilence(of loop: ControllerVitals.Loop) -> Duration {
        switch loop {
        case .dispatcher: .seconds(10)
        case .desiredState: poll + .seconds(120)
        case .timer: interval * 2 + .seconds(240)
        }
    }
}
