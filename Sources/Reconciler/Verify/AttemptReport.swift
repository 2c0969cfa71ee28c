/// One line of a driver's output.
package enum AttemptReport: Sendable, Hashable, Codable {
    case attempt(Observation)
    case scan(PortScan.Findings)
}
