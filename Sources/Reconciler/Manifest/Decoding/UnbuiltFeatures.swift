package import ReconcilerModel

/// The keys of `manifest` that are checked but not built yet, as paths, sorted.
///
/// `validate` warns of them; whatever acts on a bottle must refuse one that has any.
package func unbuiltFeatures(of manifest: BottleManifest) -> [String] {
    var found: [String] = []
    if !manifest.agent.skills.isEmpty { found.append("spec.agent.skills") }
    if manifest.agent.workspace.mode != .none { found.append("spec.agent.workspace") }
    if manifest.egress.firewall == .pipelock { found.append("spec.egress.firewall: pipelock") }
    if !manifest.git.isEmpty { found.append("spec.git") }
    return found
}

extension ManifestDecoder {
    /// Warns of every key that is not built yet, at its place.
    mutating func warnOfUnbuilt(_ manifest: BottleManifest, spec: Cursor, agent: Cursor) {
        for feature in unbuiltFeatures(of: manifest) {
            let place =
                switch feature {
                case "spec.agent.skills": agent.keyPlace("skills")
                case "spec.agent.workspace": agent.keyPlace("workspace")
                case "spec.egress.firewall: pipelock": spec["egress"]?.keyPlace("firewall") ?? spec.place
                default: spec.keyPlace("git")
                }
            findings.warning(
                "not-built-yet",
                "\(feature) is checked, but this version of bottle does not act on it yet",
                at: place,
                suggestion: "remove it to apply the manifest"
            )
        }
    }
}
