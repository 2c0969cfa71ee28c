/// One attempt of an agent to get out of its bottle, and its expected result.
package struct Attempt: Sendable, Hashable, Codable {
    /// The sidecar between the agent and the world.
    package enum Face: String, Sendable, Hashable, Codable, CaseIterable {
        /// The egress-proxy, with a firewall behind it.
        case egressProxy = "egress-proxy"
        /// The firewall alone, in a bottle without routes.
        case firewall
        case both
    }

    /// A unique name in kebab case.
    package var name: String
    /// Where it was published, or why it is tried.
    package var source: String
    package var faces: Face
    package var steps: [AttemptStep]
    package var expected: AttemptExpectation

    package init(
        name: String,
        source: String = "",
        faces: Face = .egressProxy,
        steps: [AttemptStep],
        expected: AttemptExpectation = AttemptExpectation()
    ) {
        self.name = name
        self.source = source
        self.faces = faces
        self.steps = steps
        self.expected = expected
    }

    /// Whether to make it where `face`, which must not be `both`, stands before the agent.
    package func isFor(_ face: Face) -> Bool { faces == .both || faces == face }
}
