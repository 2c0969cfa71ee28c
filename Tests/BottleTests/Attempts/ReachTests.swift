import FoundationEssentials
import ReconcilerEngine
import ReconcilerModel
import ReconcilerVerify
import Testing

extension AttackTests {
    /// What is to be touched at all, port by port.
    @Suite("and what an attacker can touch")
    struct Reach {
        @Test(
            "is one port of one sidecar on the agent's own network, and nothing beyond it",
            arguments: [AttackFields.Kind.routed, .bare]
        )
        func fromTheAgent(_ kind: AttackFields.Kind) async throws {
            let field = try await AttackFields.current().field(kind)
            let inner = try await field.block(of: "internal").addresses
            let found = try await field.scan(inner, from: field.container("agent"))
            #expect(found.open == [try await field.proxy()])
            #expect(Set(found.absent).count == inner.count - 2)

            var beyond = [field.servers.address, field.servers.unlistedAddress, "169.254.169.254", "172.17.0.1"]
            beyond += try await field.hostAddresses()
            if kind == .routed { beyond += try await field.block(of: "link").addresses }
            beyond += try await field.outerAddresses().map(\.address)
            let outside = try await field.scan(Array(Set(beyond)).sorted(), from: field.container("agent"))
            #expect(outside.open == [])
            // Not even a refusal: there is no way.
            #expect(Set(outside.absent) == Set(beyond))
        }

        @Test("has no IPv6 address to begin from", arguments: [AttackFields.Kind.routed, .bare])
        func addresses(_ kind: AttackFields.Kind) async throws {
            let field = try await AttackFields.current().field(kind)
            let look = ["docker", "exec", field.container("agent"), "cat", "/proc/net/if_inet6"]
            let table = try await field.fixture.run(look)
            let beyondLoopback = table.output.split(separator: "\n").filter { !$0.hasSuffix(" lo") }
            #expect(beyondLoopback == [])
        }

        @Test("holds no UDP port of a sidecar", arguments: [AttackFields.Kind.routed, .bare, .lone])
        func datagrams(_ kind: AttackFields.Kind) async throws {
            let field = try await AttackFields.current().field(kind)
            for role in field.sidecars {
                let tables = ["cat", "/proc/net/udp", "/proc/net/udp6"]
                let run = try await field.fixture.run(["docker", "exec", field.container(role)] + tables)
                let sockets = run.output.split(separator: "\n").compactMap { UDPSocket($0) }
                #expect(sockets.filter { !$0.isLoopback }.map(\.text) == [], "\(role)")
            }
        }

        @Test(
            "is nothing of a sidecar for another container on the network out, even with a way to the inner addresses",
            arguments: [AttackFields.Kind.routed, .bare, .lone]
        )
        func fromAnotherContainer(_ kind: AttackFields.Kind) async throws {
            let field = try await AttackFields.current().field(kind)
            let foreign = try await field.foreignContainer()
            for sidecar in try await field.outerAddresses() {
                for (network, inner) in sidecar.innerAddresses {
                    try await field.addWay(to: try await field.block(of: network), over: sidecar.address, in: foreign)
                    try await field.expectNothing(at: inner, from: foreign)
                }
                try await field.expectNothing(at: sidecar.address, from: foreign)
            }
        }
    }
}

/// A line of `/proc/net/udp` or `/proc/net/udp6`.
private struct UDPSocket {
    let text: String
    let isLoopback: Bool

    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count > 3, words[0].hasSuffix(":") else { return nil }
        let address = words[1].split(separator: ":").first ?? ""
        text = String(words[1])
        // 127.0.0.0/8 with its bytes turned round, or ::1.
        isLoopback =
            address.count == 8 ? address.hasSuffix("7F") : address == "00000000000000000000000001000000"
    }
}
