import ReconcilerModel
import ReconcilerVerify
import Testing

@Suite struct AttemptReaderTests {
    private func read(_ text: String) -> (attempts: [Attempt], diagnostics: [Diagnostic]) {
        AttemptReader.read(name: "a.yaml", bytes: Array(text.utf8))
    }

    /// The one step of an attempt that says nothing else.
    private func step(_ text: String) -> (step: AttemptStep?, diagnostics: [Diagnostic]) {
        let reading = read("- {name: a, source: s, steps: [\(text)], expected: {answer: any}}")
        return (reading.attempts.first?.steps.first, reading.diagnostics)
    }

    @Test("An attempt is read with everything that it says")
    func whole() {
        let reading = read(
            """
            - name: one
              source: "somewhere"
              faces: both
              steps:
                - connect: proxy
                - send: "GET / HTTP/1.1\\r\\n\\r\\n"
                - receive: answer
              expected:
                answer: [400, 403, closed]
                rule: [path, host]
                arrives:
                  - {host: "{listed}", method: GET, path: "/{mark}", with: [authorization], without: [x-evil]}
                  - {host: "{open}", requests: 0}
            """
        )
        #expect(reading.diagnostics == [])
        let expected = AttemptExpectation(
            answers: [.status(400), .status(403), .closed],
            rule: .oneOf(["path", "host"]),
            arrives: [
                PermittedArrival(
                    host: "{listed}",
                    method: "GET",
                    path: "/{mark}",
                    with: ["authorization"],
                    without: ["x-evil"]
                ),
                PermittedArrival(host: "{open}", isRequest: false),
            ]
        )
        let attempt = Attempt(
            name: "one",
            source: "somewhere",
            faces: .both,
            steps: [.connect("proxy"), .send(.text("GET / HTTP/1.1\r\n\r\n", times: 1)), .receive(.answer)],
            expected: expected
        )
        #expect(reading.attempts == [attempt])
    }

    @Test(
        "Each step means what it says",
        arguments: [
            ("connect: \"{server}:22\"", AttemptStep.connect("{server}:22")),
            ("send: {hex: \"16 03 0a\"}", .send(.bytes([0x16, 0x03, 0x0A]))),
            ("send: {text: a, times: 3}", .send(.text("a", times: 3))),
            ("receive: close", .receive(.close)),
            ("tls: {sni: null}", .tls(TLSOffer(sni: nil))),
            (
                "tls: {sni: \"{listed}\", alpn: [h2], max: \"1.2\"}",
                .tls(TLSOffer(sni: "{listed}", alpn: ["h2"], max: .tls12))
            ),
            ("hello: {sni: 10.0.0.1}", .hello(ClientHello(names: ["10.0.0.1"]))),
            ("hello: {names: [a, b], alpn: [h2]}", .hello(ClientHello(names: ["a", "b"], alpn: ["h2"]))),
            ("tunnel: \"{listed}\"", .tunnel(.init(host: "{listed}", tls: TLSOffer(sni: "{listed}")))),
            (
                "tunnel: {host: a, port: 8443, sni: null}",
                .tunnel(.init(host: "a", port: 8443, tls: TLSOffer(sni: nil)))
            ),
            ("get: \"/{mark}\"", .get("/{mark}")),
            ("pause: 100", .pause(100)),
            ("shutdown: write", .shutdown),
            ("udp: {to: \"{server}:53\", hex: \"00\"}", .udp(to: "{server}:53", .bytes([0]))),
            ("resolve: \"{unlisted}\"", .resolve("{unlisted}")),
        ]
    )
    func steps(_ written: String, _ meant: AttemptStep) {
        let read = step("{\(written)}")
        #expect(read.diagnostics == [])
        #expect(read.step == meant)
    }

    @Test(
        "What is wrong is told with its place, and the attempt is left out",
        arguments: [
            ("{sendd: a}", "unknown-step"), ("{send: a, receive: close}", "wrong-type"), ("send", "wrong-type"),
            ("{send: \"{lsited}\"}", "unknown-placeholder"), ("{send: {hex: \"1\"}}", "invalid-value"),
            ("{send: {hex: \"zz\"}}", "invalid-value"), ("{send: {hex: \"00\", times: 2}}", "conflicting-keys"),
            ("{send: {times: 2}}", "missing-key"), ("{send: null}", "wrong-type"),
            ("{connect: nowhere}", "invalid-value"), ("{connect: \"a:0\"}", "invalid-value"),
            ("{receive: anything}", "unknown-value"), ("{tls: {}}", "missing-key"),
            ("{tls: {sni: a, max: \"1.4\"}}", "unknown-value"), ("{tls: {sni: a, alpn: h2}}", "wrong-type"),
            ("{tunnel: {port: 1}}", "missing-key"), ("{tunnel: {host: a, port: 70000}}", "invalid-value"),
            ("{pause: long}", "invalid-value"), ("{shutdown: read}", "unknown-value"),
            ("{udp: {to: \"a:1\"}}", "missing-key"), ("{hello: {sni: a, names: [b]}}", "conflicting-keys"),
        ]
    )
    func wrongSteps(_ written: String, _ code: String) {
        let read = step(written)
        #expect(read.step == nil)
        #expect(read.diagnostics.map(\.code) == [code])
        #expect(read.diagnostics.first?.location?.file == "a.yaml")
        #expect(read.diagnostics.first?.location?.line == 1)
    }

    @Test(
        "An attempt that is not one is refused",
        arguments: [
            ("{source: s, steps: [], expected: {answer: 1}}", ["missing-key", "invalid-value"]),
            ("{name: a, source: s, steps: [], expected: {}}", ["missing-key"]),
            ("{name: A b, source: s, steps: [], expected: {answer: any}}", ["invalid-value"]),
            ("{name: a, source: s, steps: [], expected: {answer: any}, expect: 1}", ["unknown-key"]),
            ("{name: a, source: s, faces: all, steps: [], expected: {answer: any}}", ["unknown-value"]),
            ("{name: a, source: s, steps: [], expected: {answer: closd}}", ["unknown-value"]),
            ("{name: a, source: s, steps: [], expected: {answer: any, arrives: [{path: a}]}}", ["missing-key"]),
            ("a", ["wrong-type"]),
        ]
    )
    func wrongAttempts(_ written: String, _ codes: [String]) {
        let reading = read("- \(written)")
        #expect(reading.attempts == [])
        #expect(reading.diagnostics.map(\.code).sorted() == codes.sorted())
    }

    @Test("One wrong attempt does not hide the others, nor their mistakes")
    func all() {
        let reading = read(
            """
            - {name: a, source: s, steps: [{senf: a}], expected: {answer: any}}
            - {name: b, source: s, steps: [], expected: {answer: any}}
            - {name: c, source: s, steps: [{pause: -1}], expected: {answer: any}}
            """
        )
        #expect(reading.attempts.map(\.name) == ["b"])
        #expect(reading.diagnostics.map { $0.location?.line } == [1, 3])
        #expect(reading.diagnostics.first?.suggestion?.contains("'send'") == true)
    }

    @Test("A text's characters below U+0100 are bytes, others UTF-8")
    func bytes() {
        let step = step("{send: \"a\\xff\\0\\r\\u20ac\"}").step
        guard case .send(let payload) = step else { return #expect(step != nil) }
        #expect(payload.bytes == [0x61, 0xFF, 0x00, 0x0D, 0xE2, 0x82, 0xAC])
        #expect(AttemptPayload.text("ab", times: 3).bytes == Array("ababab".utf8))
    }
}
