/// `diff -o json`, `apply --dry-run -o json` and `apply -o json` (SPEC 10).
package struct PlanDocument: Sendable, Hashable, Codable {
    package struct Bottle: Sendable, Hashable, Codable {
        package var identity: String
        /// The pass of a result, as in the logs; null: none was needed.
        package var pass: String?
        package var actions: [Step]
        package var drift: [Change]
        package var preflight: Preflight
        /// The permissions that the desired state adds and takes away; nil: they were not compared.
        package var authority: [AuthorityChange]?
        /// The commit that an edit made; nil: it made none.
        package var revision: String?

        /// The document of a plan.
        package init(_ plan: Plan, preflight: Preflight) {
            identity = plan.identity.name
            actions = plan.actions.map { Step($0) }
            drift = plan.drift.map { Change($0) }
            self.preflight = preflight
        }

        /// The document of what was done.
        package init(_ identity: Identity, performed: [PerformedAction], drift: [Drift] = [], preflight: Preflight) {
            self.identity = identity.name
            actions = performed.map { Step($0) }
            self.drift = drift.map { Change($0) }
            self.preflight = preflight
        }
    }

    /// One action; with `kind: Result` also what became of it.
    package struct Step: Sendable, Hashable, Codable {
        package var verb: Verb
        package var object: String
        package var reason: Reason
        package var path: String?
        package var network: String?
        package var outcome: Outcome?
        package var ms: Int?
        package var error: String?

        package init(_ action: Action) {
            verb = action.verb
            object = action.object.description
            reason = action.reason
            path = action.path
            network = action.network?.rawValue
        }

        package init(_ performed: PerformedAction) {
            self.init(performed.action)
            outcome = performed.outcome
            ms = performed.milliseconds
            error = performed.error
        }
    }

    package struct Change: Sendable, Hashable, Codable {
        package var kind: Reason
        package var object: String
        package var cause: String

        package init(_ drift: Drift) {
            kind = drift.kind
            object = drift.object.description
            cause = drift.cause
        }
    }

    package struct Summary: Sendable, Hashable, Codable {
        package var actions: Int
    }

    package enum Kind: String, Sendable, Hashable, Codable {
        case plan = "Plan"
        case result = "Result"
    }

    package var apiVersion = "bottle/v1"
    package var kind: Kind
    package var bottles: [Bottle]
    package var summary: Summary

    package init(kind: Kind, bottles: [Bottle]) {
        self.kind = kind
        self.bottles = bottles
        summary = Summary(actions: bottles.map(\.actions.count).reduce(0, +))
    }
}

/// An action and what became of it.
package struct PerformedAction: Sendable, Hashable {
    package var action: Action
    package var outcome: Outcome
    package var milliseconds: Int
    /// The engine's or the sidecar's own words.
    package var error: String?
    /// The stable code of the failure, where it has one.
    package var code: BottleError.Code?

    package init(
        action: Action,
        outcome: Outcome,
        milliseconds: Int,
        error: String? = nil,
        code: BottleError.Code? = nil
    ) {
        self.action = action
        self.outcome = outcome
        self.milliseconds = milliseconds
        self.error = error
        self.code = code
    }
}

/// What became of one action.
package enum Outcome: String, Sendable, Hashable, CaseIterable, Codable {
    case done, failed
    /// Not begun, since something before it failed.
    case skipped
}
