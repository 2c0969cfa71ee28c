import Testing

/// What the controller finds only by reading a container's files.
@Suite("A file that was edited and given the old size and time again", .serialized, .needsEngine)
struct RunSweepTests {
    private static let folder = "/etc/egress-proxy"

    /// A shell's line that edits the routes so that no look from outside shows it.
    private static let edit = """
        cp -p routes.yaml /tmp/keep
        sed s/api.bt.test/abi.bt.test/ /tmp/keep >/tmp/edited
        cat /tmp/edited >routes.yaml
        touch -r /tmp/keep routes.yaml
        """

    private func stat(_ sample: SampleBottle, _ fixture: BottleFixture) async throws -> String {
        let proxy = "bottle-\(sample.name)-egress-proxy"
        return try await fixture.docker("exec", proxy, "stat", "-c", "%s %y %a %u:%g", "\(Self.folder)/routes.yaml")
    }

    @Test("is restored by the slow sweep when nothing tells of the edit, and so is an owner; by an exec's end at once")
    func restored() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), routes: ["{host: api.bt.test}"])
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            let routes = try await fixture.routes(of: sample)
            let look = try await stat(sample, fixture)
            let volume = "bottle-\(sample.name)-egress-proxy-config:/config"
            /// In the program's place: the engine tells of nothing.
            func unseen(_ line: String) async throws {
                let run = ["docker", "run", "--rm", "--network", "none", "-u", "root", "-w", "/config", "-v", volume]
                let done = try await fixture.run(run + ["bottle/agent", "sh", "-ec", line])
                try #require(done.status == 0, "\(done)")
            }
            func expectRestored(_ what: String) async throws {
                try await fixture.until("restored: \(what)") {
                    guard try await fixture.routes(of: sample) == routes else { return false }
                    return try await stat(sample, fixture) == look
                }
                #expect(try await fixture.snapshot() == before, "\(what)")
            }
            try await fixture.underController(sweep: 600) { _ in
                let exec = ["docker", "exec", "-w", Self.folder, "bottle-\(sample.name)-egress-proxy", "sh", "-ec"]
                let line = Self.edit.split(separator: "\n").joined(separator: "; ")
                let done = try await fixture.run(exec + [line])
                try #require(done.status == 0, "\(done)")
                try await expectRestored("edited by exec")
            }
            // Nothing looks meanwhile: what a look sees is as before, so only reading finds it.
            try await unseen(Self.edit)
            #expect(try await fixture.routes(of: sample) != routes)
            #expect(try await stat(sample, fixture) == look)
            #expect(try await fixture.applied(sample).actions() == [])
            try await fixture.underController(sweep: 3) { log in
                try await expectRestored("edited without a word")
                try await unseen("chown 0:0 routes.yaml")
                try await expectRestored("given to another user")
                #expect(try log().contains("drift: container/egress-proxy"))
            }
        }
    }
}
