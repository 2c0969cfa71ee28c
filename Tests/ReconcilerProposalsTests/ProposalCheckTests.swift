import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import Testing

@Suite("A proposal beside what is in force")
struct ProposalCheckTests {
    private func refusal(_ tool: ProposalTool, _ argument: String, in policy: SupervisedPolicy? = nil) throws -> String?
    {
        guard case .refused(let reasons) = try ProposalFixture.verdict(tool, argument, in: policy) else { return nil }
        return reasons.joined(separator: "\n")
    }

    @Test("that names a new host on a route adds that route, whatever it leaves out")
    func newRoute() throws {
        let wanted = Route(
            host: try HostPattern("new.example"),
            methods: .only(["GET"]),
            pathAllowlist: ["/x"],
            allowsWebSocket: true
        )
        let text = #"[{"host":"new.example","port":443,"methods":["GET"],"path_allowlist":["/x"],"websocket":true}]"#
        #expect(try ProposalFixture.verdict(.egressProxyBlock, text) == .changes([.routeAdded(wanted)]))
    }

    @Test("that widens the paths of a route with a credential changes nothing else of it")
    func widerPaths() throws {
        let before = try ProposalFixture.policy().routes[0]
        let text = """
            [{"host": "api.github.com", "methods": ["GET", "HEAD"], "auth": "kept",
              "path_allowlist": ["/repos/acme/", "/user"]}]
            """
        var after = before
        after.pathAllowlist = ["/repos/acme/", "/user"]
        #expect(
            try ProposalFixture.verdict(.egressProxyBlock, text) == .changes([.routeChanged(from: before, to: after)])
        )
    }

    @Test("that says what holds already is in force")
    func inForce() throws {
        let text =
            #"[{"host":"docs.example.com","path_allowlist":["/a"]},"#
            + #"{"host":"llm.example","methods":"any","role":"claude_code_oauth","auth":"kept"}]"#
        #expect(try ProposalFixture.verdict(.egressProxyBlock, text) == .inForce)
        #expect(try ProposalFixture.verdict(.firewallBlock, "raw.example.org # known\n*.wide.example.org") == .inForce)
        #expect(try ProposalFixture.verdict(.firewallBlock, "a.wide.example.org") == .inForce)
        #expect(try ProposalFixture.verdict(.capabilityBlock, "FROM bottle/agent  \r\nRUN true\r\n\n") == .inForce)
    }

    @Test("that names hosts adds those that are new")
    func newHosts() throws {
        let added = [
            RemediationChange.hostAdded(try HostPattern("b.example")), .hostAdded(try HostPattern("c.example")),
        ]
        let verdict = try ProposalFixture.verdict(
            .firewallBlock,
            "# why\nraw.example.org\nb.example # x\n\nc.example\n"
        )
        #expect(verdict == .changes(added))
    }

    @Test(
        "carries no authority of its own",
        arguments: [
            (#"[{"host":"new.example","auth":{"token_ref":"X"},"methods":["GET"]}]"#, "credentials are the operator's"),
            (#"[{"host":"new.example","auth":"kept"}]"#, "'auth' only the operator can write"),
            (#"[{"host":"new.example","role":"claude_code_oauth"}]"#, "'role' only the operator"),
            (#"[{"host":"new.example","client_auth":"allow"}]"#, "'client_auth: allow' only the operator"),
            (#"[{"host":"new.example","port":8443}]"#, "another port than 443 only the operator"),
            (#"[{"host":"*.new.example","methods":["GET"]}]"#, "a wildcard only the operator"),
            (#"[{"host":"docs.example.com","auth":"kept"}]"#, "has no credential"),
            (
                #"[{"host":"docs.example.com","client_auth":"allow"}]"#,
                "'client_auth' of docs.example.com is the operator"
            ),
            (#"[{"host":"docs.example.com","websocket":true}]"#, "'websocket' of docs.example.com is the operator"),
            (#"[{"host":"docs.example.com","port":8443}]"#, "'port' of docs.example.com is the operator"),
            (
                #"[{"host":"docs.example.com","role":"claude_code_oauth"}]"#,
                "'role' of docs.example.com is the operator"
            ),
            (#"[{"host":"llm.example","methods":"any","role":[]}]"#, "'role' of llm.example is the operator"),
            (#"[{"host":"api.github.com"}]"#, "its 'methods' must be written"),
            (#"[{"host":"api.github.com","methods":["GET","POST"]}]"#, "keep 'methods' as they are"),
            (#"[{"host":"api.github.com","methods":"any"}]"#, "keep 'methods' as they are"),
            (#"[{"host":"api.github.com","methods":["GET"],"auth":{"token_ref":"GITHUB_TOKEN"}}]"#, "credentials are"),
        ]
    )
    func authority(_ text: String, _ reason: String) throws {
        let refusal = try #require(try refusal(.egressProxyBlock, text))
        #expect(refusal.contains(reason), "\(refusal)")
    }

    @Test(
        "that is not of the form is refused with the reason",
        arguments: [
            ("", "no list of routes"), ("{}", "list"), ("[]", "at least"), ("[1]", "mapping"),
            (#"[{"host":"a.example","hosst":1}]"#, "hosst"),
            (#"[{"host":"a.example"},{"host":"a.example"}]"#, "already a route"),
            (#"[{"host":"a.example","host":"b.example"}]"#, "host"),
            (#"[{"host":"A.example"}]"#, "another spelling"), (#"[{"host":"a.example."}]"#, "another spelling"),
            (#"[{"host":"b\u00fccher.example"}]"#, "another spelling"), (#"[{"host":"10.0.0.1"}]"#, "address"),
            (#"[{"host":"localhost"}]"#, "sidecar itself"), (#"[{"host":"*.com"}]"#, "*.com"),
            (#"[{"host":"a.example","path_allowlist":["/a/../b"]}]"#, "dot segment"),
            (#"[{"host":"a.example","path_allowlist":["/a\u202eb"]}]"#, "character"),
            (#"[{"host":"a.example","path_allowlist":["/a\nb"]}]"#, "character"),
            (#"[{"host":"a.example","methods":["TRACE"]}]"#, "never let through"),
            (#"[{"host":"a.example","port":"443"}]"#, "port"), (#"[{"host":"a.example","port":0}]"#, "port"),
            ("[{\"host\":\"a.example\u{202E}\"}]", "202E"), ("[{\"host\":\"a\u{7}\"}]", "0007"),
            ("--- [{host: a.example}]\n--- [{host: b.example}]", "one document"),
            ("&a [*a]", "a"), (String(repeating: "[", count: 5000), "levels"),
        ]
    )
    func form(_ text: String, _ reason: String) throws {
        let refusal = try #require(try refusal(.egressProxyBlock, text), "\(text)")
        #expect(refusal.contains(reason), "\(refusal)")
    }

    @Test(
        "that lists hosts in another form is refused with the line",
        arguments: [
            ("", "no host"), ("# only a comment", "no host"), ("a.example:443", "line 1: a host has no port"),
            ("a.example\nhttps://b.example/x", "line 2: a host has no scheme"), ("*", "wildcard"),
            ("*.new.example", "wildcard only the operator"), ("A.example", "another spelling"),
            ("a.example b.example", "not a host"), ("../../etc/passwd", "path"), ("169.254.169.254", "address"),
            ("docs.example.com", "limits"),
        ]
    )
    func hostForm(_ text: String, _ reason: String) throws {
        let refusal = try #require(try refusal(.firewallBlock, text), "\(text)")
        #expect(refusal.contains(reason), "\(refusal)")
    }

    @Test("of a Dockerfile is the whole file, with one kind of line breaks")
    func dockerfile() throws {
        #expect(
            try ProposalFixture.verdict(.capabilityBlock, "ARG A=1\r\nFROM x\r\n\r\nRUN y  ")
                == .dockerfile("ARG A=1\nFROM x\n\nRUN y\n")
        )
        for text in ["RUN y", "hello", "# FROM x\nRUN y"] {
            #expect(try refusal(.capabilityBlock, text)?.contains("no Dockerfile") == true)
        }
    }

    @Test("is refused where the bottle has no part that it could change")
    func missingParts() throws {
        var policy = try ProposalFixture.policy()
        policy.routes = []
        #expect(
            try refusal(.egressProxyBlock, #"[{"host":"a.example"}]"#, in: policy)?.contains("firewall-block") == true
        )
        policy.hasFirewall = false
        #expect(try refusal(.firewallBlock, "a.example", in: policy)?.contains("no way out") == true)
    }

    @Test("of more changes than a person can judge is refused")
    func tooMany() throws {
        let hosts = (0..<33).map { "h\($0).example" }.joined(separator: "\n")
        #expect(try refusal(.firewallBlock, hosts)?.contains("33 changes") == true)
        let few = (0..<32).map { "h\($0).example" }.joined(separator: "\n")
        #expect(try refusal(.firewallBlock, few) == nil)
    }

    @Test("is never read in part, however much of it holds already")
    func longList() throws {
        var policy = try ProposalFixture.policy()
        policy.allowlist = try (0..<1000).map { try HostPattern("h\($0).example") }
        let known = policy.allowlist.map(\.text).joined(separator: "\n")
        #expect(try ProposalFixture.verdict(.firewallBlock, known, in: policy) == .inForce)
        #expect(try refusal(.firewallBlock, known + "\nnew.example", in: policy)?.contains("more than 1000") == true)
    }

    @Test("means the same in every spelling and order")
    func canonical() throws {
        func canonical(_ text: String) throws -> String { try ProposalContent(.egressProxyBlock, text).canonical }
        let one = try canonical(#"[{"host":"a.example","methods":["GET","HEAD"]},{"host":"b.example"}]"#)
        #expect(try canonical("- {host: b.example, methods: any}\n- methods: [HEAD, GET]\n  host: a.example") == one)
        #expect(try canonical(#"[{"host":"a.example","methods":["GET"]},{"host":"b.example"}]"#) != one)
    }

    /// Every route of the file that both parsers read.
    private static let cases: [YAMLNode] = {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let path = "\(root)/Dockerfiles/egress-proxy/tests/cases/proposals.yaml"
        let bytes = (try? DurableFile.read(path, limit: 1 << 20)) ?? []
        return YAMLFile(name: path, bytes: bytes).documents.first?["routes"]?.items ?? []
    }()

    @Test("is taken only in a form that the egress-proxy takes")
    func commonCases() throws {
        #expect(Self.cases.count > 50)
        for row in Self.cases {
            let host = try #require(row["host"]?.scalar?.text)
            func list(_ key: String) -> [String]? { row[key]?.items?.compactMap { $0.scalar?.text } }
            var members = ["\"host\":\(json(host))"]
            if let methods = list("methods") {
                members.append("\"methods\":[\(methods.map(json).joined(separator: ","))]")
            }
            if let paths = list("paths") {
                members.append("\"path_allowlist\":[\(paths.map(json).joined(separator: ","))]")
            }
            let text = "[{\(members.joined(separator: ","))}]"
            let isTaken =
                if case .changes = try ProposalFixture.verdict(.egressProxyBlock, text) { true } else { false }
            #expect(isTaken == (row["proposal"]?.scalar?.text == "true"), "\(text)")
        }
    }

    private func json(_ text: String) -> String {
        let units = text.utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"\(units.joined())\""
    }
}
