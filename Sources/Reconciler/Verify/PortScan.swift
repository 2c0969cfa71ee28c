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
    /// IPv4 addresses.
    package var addresses: [String]
    package var ports: ClosedRange<Int>
    /// Milliseconds after which to give up an unanswered connection.
    package var patience: Int

    package init(addresses: [String], ports: ClosedRange<Int> = 1...65535, patience: Int = 500) {
        self.addresses = addresses
        self.ports = ports
        self.patience = patience
    }

    package struct Findings: Sendable, Hashable, Codable {
        /// The number of connections by outcome for each address; only outcomes that occurred.
        package var counts: [String: [Outcome: Int]] = [:]
        /// The ports that accepted a connection.
        package var open: [HostPort] = []
        /// Addresses that no machine has, as the network reports: their other ports were not tried.
        package var absent: [String] = []
    }

    package enum Outcome: String, Sendable, Hashable, Codable, CodingKeyRepresentable {
        case open
        case refused
        /// The network reports that no machine has the address, or that there is no route.
        case unreachable
        case silent
    }

    /// Tries every port of every address that a machine has.
    ///
    /// No machine has an address if the network itself reports so for a first connection: on a link, if no machine
    /// answers for the address.
    package func run() async throws -> Findings {
        try await NIOThreadPool.singleton.runIfActive { try perform() }
    }

    private func perform() throws -> Findings {
        var findings = Findings()
        func count(_ outcome: Outcome, _ target: Target) {
            findings.counts[target.address, default: [:]][outcome, default: 0] += 1
            guard outcome == .open else { return }
            findings.open.append(HostPort(host: target.address, port: target.port))
        }
        var crowd = ConnectCrowd()
        // The kernel takes three seconds before it gives up asking the link for an address.
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
