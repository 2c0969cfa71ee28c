package import ReconcilerModel

/// Telemetry hosts: programs call them again and again to report how they are used.
///
/// Their refusals don't matter to the agent's work. Lists leave them out and say how many they left out; the record
/// keeps them like all others.
package struct RefusalNoise: Sendable {
    private let hosts: [HostPattern]

    /// - Parameter more: hosts beside those that are known.
    package init(_ more: [HostPattern] = []) { hosts = Self.known + more }

    /// Whether a group is of such a host, refused only because no rule allows it.
    ///
    /// A push to it, or a request that claims two names, is no noise.
    package func contains(_ group: RefusalGroup) -> Bool {
        ["host", "unlisted-host"].contains(group.rule) && hosts.contains { $0.matches(group.host) }
    }

    /// Crash reports, usage counts and feature flags of the agents and tools that bottles run most.
    package static let known: [HostPattern] = [
        "statsig.anthropic.com", "*.statsigapi.net", "statsigapi.net", "*.ingest.sentry.io", "*.ingest.us.sentry.io",
        "http-intake.logs.datadoghq.com", "http-intake.logs.us5.datadoghq.com", "api.segment.io", "us.i.posthog.com",
        "telemetry.nextjs.org", "telemetry.vercel.com", "dc.services.visualstudio.com",
        "mobile.events.data.microsoft.com",
    ].compactMap { try? HostPattern($0) }
}
