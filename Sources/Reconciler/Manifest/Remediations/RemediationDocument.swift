package import ReconcilerModel
import ReconcilerTime

/// A remediation as YAML text.
package enum RemediationDocument {
    /// One document that reads back as the same remediation; deterministic.
    package static func yaml(of remediation: Remediation, bottle: Identity) -> String {
        var writer = YAMLWriter()
        writer.pair("apiVersion", ManifestShape.apiVersion)
        writer.pair("kind", "Remediation")
        writer.mapping("metadata") { writer in
            writer.pair("name", remediation.name)
            writer.pair("bottle", bottle.name)
        }
        writer.mapping("spec") { writer in
            change(remediation.change, &writer)
            if let limits = remediation.limits {
                writer.mapping("limits") { writer in
                    if let notAfter = limits.notAfter { writer.pair("not_after", notAfter.description) }
                    if let uses = limits.maxUses { writer.raw("max_uses", String(uses)) }
                }
            }
            let provenance = remediation.provenance
            writer.pair("by", provenance.author)
            writer.pair("at", provenance.time.description)
            writer.pair("reason", provenance.reason)
            if let proposal = provenance.proposal { writer.pair("proposal", proposal) }
            if let candidate = provenance.candidate { writer.pair("candidate", candidate.hex) }
        }
        return writer.text
    }

    /// One text for one change; deterministic.
    package static func yaml(of change: RemediationChange) -> String {
        var writer = YAMLWriter()
        self.change(change, &writer)
        return writer.text
    }

    private static func change(_ change: RemediationChange, _ writer: inout YAMLWriter) {
        switch change {
        case .routeAdded(let route): writer.mapping("add_route") { ManifestDocument.route(route, &$0) }
        case .routeChanged(let old, let new):
            writer.mapping("change_route") { writer in
                writer.mapping("from") { ManifestDocument.route(old, &$0) }
                writer.mapping("to") { ManifestDocument.route(new, &$0) }
            }
        case .routeRemoved(let host): writer.pair("remove_route", host.text)
        case .hostAdded(let host): writer.pair("add_host", host.text)
        case .hostRemoved(let host): writer.pair("remove_host", host.text)
        case .dockerfileReplaced(let replacement):
            writer.mapping("replace_dockerfile") { writer in
                writer.pair("dockerfile", replacement.dockerfile)
                writer.pair("context", replacement.context.hex)
                if replacement.path != "Dockerfile" { writer.pair("path", replacement.path) }
                writer.pair("replaces", replacement.replaces)
                if let base = replacement.base { writer.pair("base", base.text) }
                if let proposed = replacement.proposed { writer.pair("proposed", proposed) }
            }
        }
    }
}
