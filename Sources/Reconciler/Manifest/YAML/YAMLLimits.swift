/// Bounds on what one YAML text may hold; past them it is an error, found before memory or time is spent.
package struct YAMLLimits: Sendable, Hashable {
    /// Bytes of the text.
    package var bytes: Int
    /// Levels of lists and mappings.
    package var depth: Int
    /// Nodes, with every alias written out.
    package var nodes: Int

    package init(bytes: Int, depth: Int, nodes: Int) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }

    /// Bytes of all scalars, with every alias written out.
    var expandedBytes: Int { bytes * 4 }

    /// For what people write: 4 MiB, 64 levels, 100,000 nodes.
    package static let manifest = YAMLLimits(bytes: 4 << 20, depth: 64, nodes: 100_000)

    /// For what this program wrote: 32 MiB, since prompts and certificates are embedded.
    package static let stored = YAMLLimits(bytes: 32 << 20, depth: 64, nodes: 100_000)
}
