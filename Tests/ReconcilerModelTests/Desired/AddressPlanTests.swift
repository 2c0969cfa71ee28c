import ReconcilerModel
import Testing

@Suite("address plans")
struct AddressPlanTests {
    private func assigned(
        _ roles: [NetworkRole],
        pool: String,
        avoiding used: [String] = [],
        to plan: AddressPlan = AddressPlan()
    ) throws -> [String] {
        var plan = plan
        try plan.assign(roles, from: IPv4Block(pool), avoiding: used.map { try IPv4Block($0) })
        return plan.all.map(\.description)
    }

    @Test(
        "each network gets the first free /28 of the pool",
        arguments: [
            ([], ["10.231.0.0/28", "10.231.0.16/28"]), (["10.231.0.0/28"], ["10.231.0.16/28", "10.231.0.32/28"]),
            (["10.231.0.16/28"], ["10.231.0.0/28", "10.231.0.32/28"]),
            (["10.231.0.5/32"], ["10.231.0.16/28", "10.231.0.32/28"]),
            (["10.231.0.0/24"], ["10.231.1.0/28", "10.231.1.16/28"]),
            (["10.231.0.0/17", "10.231.128.0/18"], ["10.231.192.0/28", "10.231.192.16/28"]),
            (["172.17.0.0/16"], ["10.231.0.0/28", "10.231.0.16/28"]),
        ]
    )
    func first(_ used: [String], _ blocks: [String]) throws {
        #expect(try assigned([.internal, .link], pool: "10.231.0.0/16", avoiding: used) == blocks)
    }

    @Test("blocks are kept for life, even where others came to overlap; what is not wanted is given back")
    func keeps() throws {
        var plan = AddressPlan()
        plan[.internal] = try IPv4Block("10.9.0.0/28")
        plan[.egress] = try IPv4Block("10.9.0.16/28")
        let blocks = try assigned([.internal, .link], pool: "10.231.0.0/16", avoiding: ["10.9.0.0/16"], to: plan)
        #expect(blocks == ["10.9.0.0/28", "10.231.0.0/28"])
    }

    @Test(
        "an exhausted pool is an error, and changes nothing",
        arguments: [("10.0.0.0/28", []), ("10.0.0.0/29", []), ("10.0.0.0/32", []), ("10.0.0.0/16", ["0.0.0.0/0"])]
    )
    func exhausted(_ pool: String, _ used: [String]) throws {
        var plan = AddressPlan()
        plan[.egress] = try IPv4Block("10.9.0.0/28")
        let before = plan
        let error = #expect(throws: BottleError.self) {
            try plan.assign([.internal, .link], from: IPv4Block(pool), avoiding: used.map { try IPv4Block($0) })
        }
        #expect(error?.code == .networkPoolExhausted)
        #expect(plan == before)
    }

    @Test("the whole pool is used, to its last block and at the end of all addresses")
    func whole() throws {
        let last = try assigned([.internal, .link], pool: "255.255.255.224/27")
        #expect(last == ["255.255.255.224/28", "255.255.255.240/28"])
        #expect(try assigned([.internal], pool: "0.0.0.0/0", avoiding: ["0.0.0.0/1"]) == ["128.0.0.0/28"])
    }

    @Test("the search begins at the place it is given, and goes round to the start of the pool")
    func begins() throws {
        var plan = AddressPlan()
        try plan.assign([.internal, .link], from: IPv4Block("10.0.0.0/26"), avoiding: [], startingAt: 7)
        #expect(plan[.internal]?.description == "10.0.0.48/28")
        #expect(plan[.link]?.description == "10.0.0.0/28")
    }

    @Test("two bottles search from places of their own, each always from the same")
    func ownPlaces() throws {
        let one = BottleRecord(identity: try Identity("one"), installation: try InstallationID("a"))
        #expect(
            one.addressPlace
                == BottleRecord(identity: try Identity("one"), installation: try InstallationID("a")).addressPlace
        )
        #expect(
            one.addressPlace
                != BottleRecord(identity: try Identity("two"), installation: try InstallationID("a")).addressPlace
        )
        #expect(
            one.addressPlace
                != BottleRecord(identity: try Identity("one"), installation: try InstallationID("b")).addressPlace
        )
    }

    @Test("every role has its own place, and the gateway the first")
    func places() throws {
        var plan = AddressPlan()
        plan[.internal] = try IPv4Block("10.9.0.0/28")
        let places = Role.allCases.compactMap { plan.address(of: $0, on: .internal)?.description }
        #expect(places.sorted() == ["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6"])
        #expect(plan.address(of: .agent, on: .link) == nil)
    }
}
