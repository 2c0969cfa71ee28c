package import ReconcilerModel

/// The paths of keys in `manifest` that are checked but not implemented yet, sorted.
///
/// `validate` warns about them; code that acts on a bottle must refuse one that has any.
package func unbuiltFeatures(of manifest: BottleManifest) -> [String] {
    var found: [String] = []
    if !manifest.agent.skills.isEmpty { found.append("spec.agent.skills") }
    if manifest.agent.workspace.mode != .none { found.append("spec.agent.workspace") }
    if manifest.egress.firewall == .pipelock { found.append("spec.egress.firewall: pipelock") }
    if !manifest.git.isEmpty { found.append("spec.git") }
    return found
}

extension ManifestDecoder {
    /// Warns about every key that is not implemented yet, at its position.
    mutating func warnOfUnbuilt(_ manifest: BottleManifest, spec: Cursor, agent: Cursor) {
        for feature in unbuiltFeatures(of: manifest) {
            let position =
                switch feature {
                case "spec.agent.skills": agent.keyPosition("skills")
                case "spec.agent.workspace": agent.keyPosition("workspace")
                case "spec.egress.firewall: pipelock": spec["egress"]?.keyPosition("firewall") ?? spec.position
                default: spec.keyPosition("git")
                }
            findings.warning(
                "not-built-yet",
                "\(feature) is checked, but this version of bottle does not act on it yet",
                at: position,
                suggestion: "remove it to apply the manifest"
            )
        }
    }
}
