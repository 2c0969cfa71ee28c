import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerTime

/// A request that a sidecar refused; or several of one kind, told together.
///
/// Its texts came from the agent. They are printable ASCII of bounded length whatever it sent, so that no view of them
/// can be steered; everything else is written out as `\u{…}`.
package struct RefusedRequest: Sendable, Hashable {
    package var sidecar: Role
    /// As the sidecar told it; a name only where the request had one.
    package var host: String
    /// Nil where the sidecar doesn't tell it.
    package var port: Int?
    package var method: String
    /// Without the query; `...` at its end where it was cut.
    package var path: String
    /// The sidecar's stable word for why.
    package var rule: String
    /// For people.
    package var reason: String
    /// When the first of them happened, by the sidecar's clock.
    package var first: Timestamp
    /// When the last of them happened.
    package var last: Timestamp
    package var count: Int

    package init(
        sidecar: Role,
        host: String,
        port: Int? = nil,
        method: String = "",
        path: String = "",
        rule: String,
        reason: String = "",
        first: Timestamp,
        last: Timestamp? = nil,
        count: Int = 1
    ) {
        self.sidecar = sidecar
        self.host = VisibleText.ascii(host, limit: 260)
        self.port = port
        self.method = VisibleText.ascii(method, limit: 40)
        self.path = VisibleText.ascii(path, limit: 520)
        self.rule = VisibleText.ascii(rule, limit: 32)
        self.reason = VisibleText.ascii(reason, limit: 160)
        self.first = first
        self.last = last ?? first
        self.count = count
    }

    /// What stands for the hosts of refusals of which only the number is known.
    package static let anyHost = "*"
    /// The rule of refusals that came with more rules than any sidecar has.
    static let otherRule = "other"

    /// What two refusals share that differ in nothing but time.
    var kind: RefusedRequest {
        var kind = self
        kind.first = Timestamp(seconds: 0)
        kind.last = kind.first
        kind.count = 0
        return kind
    }

    /// The same without anything but host and rule.
    var withoutDetail: RefusedRequest {
        var coarse = self
        coarse.port = nil
        coarse.method = ""
        coarse.path = ""
        coarse.reason = ""
        return coarse
    }

    /// The same without anything but the rule.
    var withoutHost: RefusedRequest {
        var coarse = withoutDetail
        coarse.host = Self.anyHost
        return coarse
    }

    /// Takes in others of the same kind.
    mutating func merge(_ other: RefusedRequest) {
        first = min(first, other.first)
        last = max(last, other.last)
        count = Self.sum(count, other.count)
    }

    /// A sum that stops at the largest number there is.
    static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }
}
