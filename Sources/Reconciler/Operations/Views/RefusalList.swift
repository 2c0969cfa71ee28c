import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerTime

/// One group of refusals (docs/denied.md).
package struct RefusalItem: Sendable, Encodable {
    package let bottle: String
    package let id: String
    package let host: String
    package let rule: String
    package let reason: String
    package let sidecars: [String]
    package let ports: [Int]
    package let methods: [String]
    package let paths: [String]
    package let isPartial: Bool
    package let isNoise: Bool
    package let count: Int
    package let first: String
    package let last: String

    init(_ bottle: Identity, _ group: RefusalGroup, isNoise: Bool) {
        self.bottle = bottle.name
        id = group.id
        host = group.host
        rule = group.rule
        reason = group.reason
        sidecars = group.sidecars.map(\.rawValue).sorted()
        ports = group.ports
        methods = group.methods
        paths = group.paths
        isPartial = group.isPartial
        self.isNoise = isNoise
        count = group.count
        first = Timestamp(seconds: group.first.seconds).description
        last = Timestamp(seconds: group.last.seconds).description
    }
}

/// `denied -o json` (docs/denied.md).
package struct RefusalList: Sendable, Encodable {
    package struct Hidden: Sendable, Encodable {
        package let groups: Int
        package let count: Int
    }

    private let apiVersion = "bottle/v1"
    private let kind = "RefusalList"
    package let items: [RefusalItem]
    package let hidden: Hidden
    package let lost: Int
    package let unreadable: Int
    package let isComplete: Bool

    init(items: [RefusalItem], hidden: [RefusalGroup], lost: Int, unreadable: Int, isComplete: Bool) {
        self.items = items
        self.hidden = Hidden(groups: hidden.count, count: hidden.reduce(0) { $0 + $1.count })
        self.lost = lost
        self.unreadable = unreadable
        self.isComplete = isComplete
    }

    private enum CodingKeys: String, CodingKey { case apiVersion, kind, items, hidden, lost, unreadable, isComplete }
}

/// `denied --suggest -o json` (docs/denied.md): the smallest change of a manifest that lets refusals through.
package struct SuggestionDocument: Sendable, Encodable {
    package struct Group: Sendable, Encodable {
        package let id: String
        package let host: String
        package let rule: String
        /// `allowed`, `allowed-already` or `impossible`.
        package let outcome: String
        package let reason: String?

        fileprivate init(_ verdict: RefusalSuggestion.Verdict) {
            id = verdict.group.id
            host = verdict.group.host
            rule = verdict.group.rule
            (outcome, reason) =
                switch verdict.outcome {
                case .allowed: ("allowed", nil)
                case .allowedAlready: ("allowed-already", nil)
                case .impossible(let reason): ("impossible", reason)
                }
        }
    }

    package struct RouteChange: Sendable, Encodable {
        package let host: String
        package let isNew: Bool
        package let port: Int
        /// Null: any.
        package let methods: [String]?
        package let paths: [String]
        package let websocket: Bool
    }

    private let apiVersion = "bottle/v1"
    private let kind = "Suggestion"
    package let bottle: String
    package let groups: [Group]
    package let addedHosts: [String]
    package let removedHosts: [String]
    package let routes: [RouteChange]
    package let authority: [AuthorityChange]
    package let yaml: String
    /// In place of added hosts, routes that let only through what was seen; no part of the document.
    package let narrower: [Route]

    private enum CodingKeys: String, CodingKey {
        case apiVersion, kind, bottle, groups, addedHosts, removedHosts, routes, authority, yaml
    }

    init(_ bottle: Identity, _ suggestion: RefusalSuggestion) {
        self.bottle = bottle.name
        groups = suggestion.verdicts.map(Group.init)
        addedHosts = suggestion.addedHosts.map(\.text)
        removedHosts = suggestion.removedHosts.map(\.text)
        routes = suggestion.changedRoutes.map { old, new in
            RouteChange(
                host: new.host.text,
                isNew: old == nil,
                port: new.port,
                methods: new.methods.list,
                paths: new.pathAllowlist,
                websocket: new.allowsWebSocket
            )
        }
        authority = suggestion.authority
        yaml = suggestion.yaml
        narrower = suggestion.narrower
    }
}
