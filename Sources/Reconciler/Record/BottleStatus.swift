package import ReconcilerTime

/// What is known of a bottle after its last pass (SPEC 6).
package struct BottleStatus: Sendable, Hashable, Codable {
    /// The revision that the last pass brought about; null: none yet.
    package var observedRevision: Revision?
    package var conditions: [Condition]
    /// The last passes that did something or failed, the newest last; nil: none yet.
    package var passes: [PassSummary]?

    /// How many passes are kept.
    package static let keptPasses = 10

    package init(observedRevision: Revision? = nil, conditions: [Condition] = []) {
        self.observedRevision = observedRevision
        self.conditions = conditions
    }

    /// Sets one condition; its time moves only when its status does.
    package mutating func set(
        _ type: Condition.Kind,
        _ holds: Bool,
        reason: String,
        message: String,
        at time: Timestamp
    ) {
        let status: Condition.Status = holds ? .true : .false
        let new = Condition(type: type, status: status, reason: reason, message: message, lastTransitionTime: time)
        guard let index = conditions.firstIndex(where: { $0.type == type }) else {
            conditions.append(new)
            conditions.sort { $0.type.rawValue < $1.type.rawValue }
            return
        }
        let old = conditions[index]
        conditions[index] = new
        if old.status == status { conditions[index].lastTransitionTime = old.lastTransitionTime }
    }

    /// Keeps a pass.
    ///
    /// The same failure once more takes the place of the one before.
    package mutating func keep(_ pass: PassSummary) {
        guard !pass.actions.isEmpty || pass.error != nil else { return }
        var kept = passes ?? []
        if let last = kept.last, pass.repeats(last) { kept.removeLast() }
        passes = (kept + [pass]).suffix(Self.keptPasses)
    }

    package subscript(type: Condition.Kind) -> Condition? { conditions.first { $0.type == type } }
}

package struct Condition: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case ready = "Ready"
        case progressing = "Progressing"
        case drifted = "Drifted"
        case degraded = "Degraded"
        case replacementPending = "ReplacementPending"
        case remediationConflict = "RemediationConflict"
        case completed = "Completed"
        case failed = "Failed"
    }

    package enum Status: String, Sendable, Hashable, Codable {
        case `true` = "True"
        case `false` = "False"
    }

    package var type: Kind
    package var status: Status
    /// A word in CamelCase for programs.
    package var reason: String
    package var message: String
    /// When `status` last changed.
    package var lastTransitionTime: Timestamp

    package init(type: Kind, status: Status, reason: String, message: String, lastTransitionTime: Timestamp) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
    }
}
