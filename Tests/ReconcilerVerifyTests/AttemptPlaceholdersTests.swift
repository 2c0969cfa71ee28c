import ReconcilerVerify
import Testing

@Suite struct AttemptPlaceholdersTests {
    private let placeholders = AttemptPlaceholders(["mark": "m1", "listed": "api.test", "server": "10.0.0.9"])

    @Test(
        "A known word in braces is replaced, everything else stays",
        arguments: [
            ("{mark}", "m1"), ("/{mark}/{mark}?{listed}", "/m1/m1?api.test"), ("{", "{"), ("{}", "{}"),
            ("{\"mark\":1}", "{\"mark\":1}"), ("{{mark}}", "{m1}"), ("{mark", "{mark"), ("{Mark}", "{Mark}"),
            ("{nobody}", "{nobody}"), ("", ""), ("\r\n{mark}\r\n", "\r\nm1\r\n"), ("{mark}\u{301}", "m1\u{301}"),
        ]
    )
    func filled(_ text: String, _ result: String) {
        #expect(Array(placeholders.filled(text).utf8) == Array(result.utf8))
    }

    @Test("Every part of an attempt that may name a placeholder is filled")
    func attempt() {
        let attempt = Attempt(
            name: "a",
            steps: [
                .connect("{server}:1"), .send(.text("{mark}", times: 2)), .tls(TLSOffer(sni: "{listed}")),
                .hello(ClientHello(names: ["{listed}"])),
                .tunnel(.init(host: "{listed}", tls: TLSOffer(sni: "{mark}"))),
                .get("/{mark}"), .udp(to: "{server}:2", .text("{mark}", times: 1)), .resolve("{listed}"),
            ],
            expected: AttemptExpectation(arrives: [PermittedArrival(host: "{listed}", path: "/{mark}")])
        )
        let filled = attempt.filled(placeholders)
        #expect(
            filled.steps == [
                .connect("10.0.0.9:1"), .send(.text("m1", times: 2)), .tls(TLSOffer(sni: "api.test")),
                .hello(ClientHello(names: ["api.test"])), .tunnel(.init(host: "api.test", tls: TLSOffer(sni: "m1"))),
                .get("/m1"), .udp(to: "10.0.0.9:2", .text("m1", times: 1)), .resolve("api.test"),
            ]
        )
        #expect(filled.expected.arrives == [PermittedArrival(host: "api.test", path: "/m1")])
    }

    @Test("An address has spellings that are not dotted")
    func spellings() {
        let spellings = AttemptPlaceholders.spellings(ofServer: "10.1.2.3")
        #expect(spellings["serverint"] == "167838211")
        #expect(spellings["serverhex"] == "0xa010203")
        #expect(spellings["serverv6"] == "::ffff:10.1.2.3")
    }
}
