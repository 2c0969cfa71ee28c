package import ReconcilerModel
import ReconcilerTime

/// Reads `kind: Remediation`: one document per file, whose name and folder must match its metadata.
package enum RemediationReader {
    /// Reads the file `remediations/<bottle>/<name>.yaml`, and collects everything that is wrong with it.
    ///
    /// - Parameters:
    ///   - file: what diagnostics call the text.
    ///   - name: number and slug, from the file's name.
    /// - Returns: nil if the diagnostics contain an error.
    package static func read(
        file: String,
        name: String,
        bottle: Identity,
        bytes: [UInt8]
    ) -> (remediation: Remediation?, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var remediation: Remediation?
        let rule = Cursor.OneDocumentRule(
            second: "a remediation is one document",
            none: ("empty-manifest", "there is no document in this file", nil)
        )
        if let document = Cursor.root(of: file, bytes, rule, &findings) {
            remediation = read(document, name, bottle, &findings)
        }
        return (findings.hasErrors ? nil : remediation, findings.ordered(files: [file]))
    }

    private static func read(
        _ document: Cursor,
        _ name: String,
        _ bottle: Identity,
        _ findings: inout Findings
    ) -> Remediation? {
        document.check(.object(RemediationShape.document), &findings)
        guard !document.node.holdsLongList, let metadata = document["metadata"], let spec = document["spec"] else {
            return nil
        }
        expect(metadata["name"], name, "the file's name", &findings)
        expect(metadata["bottle"], bottle.name, "the folder's name", &findings)
        var decoder = ManifestDecoder()
        let change = decoder.change(spec)
        let limits = spec["limits"].flatMap { decoder.limits($0) }
        let provenance = decoder.provenance(spec)
        findings.append(decoder.findings)
        guard let parts = Remediation.parts(of: name) else {
            findings.error(
                "invalid-value",
                "\(quoted(name)) is not a remediation's name",
                at: metadata.position,
                suggestion: "the file is called like 0007-add-host.yaml"
            )
            return nil
        }
        guard !findings.hasErrors, let change, let provenance else { return nil }
        do {
            return try Remediation(
                number: parts.number,
                slug: parts.slug,
                change: change,
                provenance: provenance,
                limits: limits
            )
        } catch {
            let position = limits == nil || change.problem != nil ? spec.position : spec.keyPosition("limits")
            findings.error("invalid-value", "spec: \(error.rule)", at: position)
            return nil
        }
    }

    private static func expect(_ cursor: Cursor?, _ text: String, _ origin: String, _ findings: inout Findings) {
        guard let cursor, let found = cursor.text, found != text else { return }
        findings.error(
            "name-mismatch",
            "\(cursor.path): \(quoted(found)) is not what \(origin) says",
            at: cursor.position,
            suggestion: "write \(text)"
        )
    }
}

extension ManifestDecoder {
    /// Decodes the change; nil if a part of it is wrong, which is reported.
    fileprivate mutating func change(_ spec: Cursor) -> RemediationChange? {
        guard let key = RemediationShape.changes.first(where: { spec[$0] != nil }), let cursor = spec[key] else {
            return nil
        }
        switch key {
        case "add_route": return route(cursor).map(RemediationChange.routeAdded)
        case "change_route":
            guard let before = cursor["from"].flatMap({ route($0) }), let after = cursor["to"].flatMap({ route($0) })
            else { return nil }
            return .routeChanged(from: before, to: after)
        case "remove_route": return host(cursor).map(RemediationChange.routeRemoved)
        case "add_host": return host(cursor).map(RemediationChange.hostAdded)
        case "remove_host": return host(cursor).map(RemediationChange.hostRemoved)
        default: return dockerfile(cursor).map(RemediationChange.dockerfileReplaced)
        }
    }

    private mutating func host(_ cursor: Cursor) -> HostPattern? {
        cursor.text.flatMap { host($0, path: cursor.path, at: cursor.position, allowsWildcard: true) }
    }

    private mutating func dockerfile(_ cursor: Cursor) -> DockerfileReplacement? {
        guard let text = cursor["dockerfile"]?.text, let context = cursor["context"].flatMap({ digest($0) }),
            let replaces = cursor["replaces"]?.text
        else { return nil }
        return DockerfileReplacement(
            dockerfile: text,
            context: context,
            path: cursor["path"].flatMap { pathInContext($0) } ?? "Dockerfile",
            replaces: replaces,
            base: cursor["base"].flatMap { imageID($0) },
            proposed: cursor["proposed"]?.text
        )
    }

    private mutating func digest(_ cursor: Cursor) -> ContentDigest? {
        guard let text = cursor.text else { return nil }
        return value(cursor) { () throws(InvalidValue) in try ContentDigest(hex: text) }
    }

    private mutating func time(_ cursor: Cursor) -> Timestamp? {
        guard let text = cursor.text else { return nil }
        return value(cursor) { () throws(InvalidValue) in try Timestamp(text) }
    }

    fileprivate mutating func limits(_ cursor: Cursor) -> GrantLimits? {
        let notAfter = cursor["not_after"].flatMap { time($0) }
        let uses = cursor["max_uses"]?.integer
        guard !findings.hasErrors, cursor.node.entries != nil else { return nil }
        do {
            return try GrantLimits(notAfter: notAfter, maxUses: uses)
        } catch {
            findings.error("invalid-value", "\(cursor.path): \(error.rule)", at: cursor.position)
            return nil
        }
    }

    fileprivate mutating func provenance(_ spec: Cursor) -> Remediation.Provenance? {
        let candidate = spec["candidate"].flatMap { digest($0) }
        guard let time = spec["at"].flatMap({ time($0) }), let author = spec["by"]?.text,
            let reason = spec["reason"]?.text
        else { return nil }
        return Remediation.Provenance(
            author: author,
            time: time,
            reason: reason,
            proposal: spec["proposal"]?.text,
            candidate: candidate
        )
    }
}
