/// Limits on one YAML text; exceeding one is an error, found before memory or time is spent.
package struct YAMLLimits: Sendable, Hashable {
    /// Most bytes of the text.
    package var bytes: Int
    /// Most levels of nested lists and mappings.
    package var depth: Int
    /// Most nodes, counting every alias as its expansion.
    package var nodes: Int

    package init(bytes: Int, depth: Int, nodes: Int) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }

    /// Most bytes of all scalars, counting every alias as its expansion.
    var expandedBytes: Int { bytes * 4 }

    /// For texts that people write: 4 MiB, 64 levels, 100,000 nodes.
    package static let manifest = YAMLLimits(bytes: 4 << 20, depth: 64, nodes: 100_000)

    /// For texts that this program wrote: 32 MiB, because they embed prompts and certificates.
    package static let stored = YAMLLimits(bytes: 32 << 20, depth: 64, nodes: 100_000)
}
