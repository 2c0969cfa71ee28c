/// Refusals taken together by kind, in bounded room: what doesn't fit is told with less detail, and always counted.
///
/// First all that is known of each kind, then only host and rule, then only the rule.
struct RefusalTally: Sendable {
    /// The most rules told apart once hosts no longer are.
    static let ruleLimit = 64

    private let room: [Int]
    private var begun = [0, 0, 0]
    private var kinds: [RefusedRequest: RefusedRequest] = [:]

    /// - Parameters:
    ///   - details: how many kinds may have all their detail.
    ///   - hosts: how many further ones may have their host.
    init(details: Int, hosts: Int) { room = [details, hosts, Self.ruleLimit] }

    var isEmpty: Bool { kinds.isEmpty }

    /// How many of its kinds name their host.
    var namedKinds: Int { begun[0] + begun[1] }

    /// All kinds, by the time of their first.
    var refusals: [RefusedRequest] {
        kinds.values.sorted { ($0.first, $0.host, $0.path) < ($1.first, $1.host, $1.path) }
    }

    mutating func add(_ refusal: RefusedRequest) {
        var form = refusal
        for level in room.indices {
            if level == 1 { form = refusal.withoutDetail }
            if level == 2 { form = refusal.withoutHost }
            let kind = form.kind
            if kinds[kind]?.merge(form) != nil { return }
            guard begun[level] < room[level] else { continue }
            begun[level] += 1
            kinds[kind] = form
            return
        }
        form.rule = RefusedRequest.otherRule
        if kinds[form.kind]?.merge(form) == nil { kinds[form.kind] = form }
    }
}
