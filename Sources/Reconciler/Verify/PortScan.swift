import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A TCP connect scan: which ports of which addresses accept a connection.
package struct PortScan: Sendable, Hashable, Codable {
    /// IPv4.
    package var addresses: [String]
    package var ports: ClosedRange<Int>
    /// Milliseconds after which a connection that nobody answers is given up.
    package var patience: Int

    package init(addresses: [String], ports: ClosedRange<Int> = 1...65535, patience: Int = 500) {
        self.addresses = addresses
        self.ports = ports
        self.patience = patience
    }

    package struct Findings: Sendable, Hashable, Codable {
        /// Of each address, what became of the connections; only what happened at least once.
        package var counts: [String: [Outcome: Int]] = [:]
        /// What accepted a connection.
        package var open: [Endpoint] = []
        /// Addresses that the network says are nobody's: their other ports were not tried.
        package var absent: [String] = []
    }

    package enum Outcome: String, Sendable, Hashable, Codable, CodingKeyRepresentable {
        case open
        case refused
        /// The network says that nobody is there, or that there is no way.
        case unreachable
        case silent
    }

    /// Tries every port of every address that is somebody's.
    ///
    /// An address is nobody's when the network itself says so of a first connection: on a link, when nobody answers
    /// for it.
    package func run() async throws -> Findings {
        try await NIOThreadPool.singleton.runIfActive { try perform() }
    }

    private func perform() throws -> Findings {
        var findings = Findings()
        func count(_ outcome: Outcome, _ target: Target) {
            findings.counts[target.address, default: [:]][outcome, default: 0] += 1
            guard outcome == .open else { return }
            findings.open.append(Endpoint(host: target.address, port: target.port))
        }
        var crowd = ConnectCrowd()
        // Until the kernel gives up asking the link for an address, three seconds pass.
        let first = addresses.map { Target(address: $0, port: ports.lowerBound) }
        try crowd.connect(first, patience: 5_000) { target, outcome in
            count(outcome, target)
            if outcome == .unreachable { findings.absent.append(target.address) }
        }
        for address in addresses where !findings.absent.contains(address) {
            let others = ports.dropFirst().map { Target(address: address, port: $0) }
            try crowd.connect(others, patience: patience) { count($1, $0) }
        }
        findings.open.sort { ($0.host, $0.port) < ($1.host, $1.port) }
        return findings
    }

    struct Target {
        var address: String
        var port: Int
    }
}
