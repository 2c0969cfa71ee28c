/// A tool that only reads.
enum ReadingTool: String, Sendable, Hashable, CaseIterable {
    case showRoutes = "show-routes"
    case showAllowlist = "show-allowlist"
    case showDockerfile = "show-dockerfile"
    case recentRefusals = "recent-refusals"
    case proposalStatus = "proposal-status"
}
