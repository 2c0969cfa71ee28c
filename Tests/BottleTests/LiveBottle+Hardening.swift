import ReconcilerEngine
import Testing

extension LiveBottle {
    @Suite("and what the engine was told of it")
    struct Hardening {
        @Test("gives every container no more than it needs", arguments: ["agent", "egress-proxy", "firewall"])
        func container(_ role: String) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let found = try await bottle.fixture.engine.container(bottle.container(role))
            let host = found.hostConfig
            #expect(host.dropCapabilities == ["ALL"])
            #expect((host.addCapabilities ?? []) == [])
            #expect(host.securityOptions?.contains { $0.hasPrefix("no-new-privileges") } == true)
            #expect(host.isPrivileged != true)
            #expect((host.pidsLimit ?? 0) > 0)
            #expect(host.logging?.options?["max-size"] != nil)
            #expect(host.ulimits?.contains { $0.name == "core" && $0.hard == 0 } == true)
            #expect(host.restartPolicy?.name ?? "no" == "no" || host.restartPolicy?.name == "")
            #expect((host.binds ?? []) == [])
            #expect(!found.mounts.contains { $0.type != "volume" && $0.type != "tmpfs" })
            if role != "agent" {
                #expect(host.readOnlyRoot == true)
                #expect((host.memory ?? 0) > 0)
            }
            let labels = found.config.labels ?? [:]
            #expect(labels["dev.bottle.managed-by"] == "bottle")
            #expect(labels["dev.bottle.installation"] == (try bottle.fixture.installation()))
            #expect(labels["dev.bottle.identity"] == bottle.sample.name)
            #expect(labels["dev.bottle.role"] == role)
            #expect(labels["dev.bottle.spec-hash"]?.isEmpty == false)
            // What the program itself has, told by the kernel.
            let status = try await bottle.fixture.docker("exec", bottle.container(role), "cat", "/proc/1/status")
            #expect(status.contains("CapEff:\t0000000000000000"))
            #expect(status.contains("NoNewPrivs:\t1"))
            if role != "agent" {
                let forwards = try await bottle.fixture.docker(
                    "exec",
                    bottle.container(role),
                    "cat",
                    "/proc/sys/net/ipv4/ip_forward"
                )
                #expect(forwards == "0")
            }
        }

        @Test("keeps the inner networks inside, without an address of the host", arguments: ["internal", "link"])
        func network(_ role: String) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let network = try await bottle.fixture.engine.network("bottle-\(bottle.sample.name)-\(role)")
            #expect(network.isInternal)
            #expect(network.labels["dev.bottle.identity"] == bottle.sample.name)
            let bridge = "br-\(network.id.prefix(12))"
            let addresses = try await bottle.fixture.run(["ip", "-4", "-o", "address", "show", "dev", bridge])
            // Elsewhere the engine is not on this machine.
            if addresses.status == 0 { #expect(addresses.output == "") }
            let on = Set(network.containers.values.map(\.name))
            let inside = role == "internal" ? ["agent", "egress-proxy"] : ["egress-proxy", "firewall"]
            #expect(on == Set(inside.map(bottle.container)))
        }

        @Test("puts nothing but the firewall on the way out")
        func wayOut() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let network = try await bottle.fixture.engine.network(bottle.internet.network)
            let names = Set(network.containers.values.map(\.name)).filter {
                $0.hasPrefix("bottle-\(bottle.sample.name)-")
            }
            #expect(names == [bottle.container("firewall")])
        }
    }
}
