import ReconcilerModel

extension ManifestDecoder {
    mutating func egress(_ cursor: Cursor) -> EgressSpec {
        EgressSpec(
            firewall: cursor["firewall"]?.text.flatMap(EgressSpec.Firewall.init(rawValue:)) ?? .squid,
            allowlist: hosts(cursor["allowlist"]),
            passthrough: hosts(cursor["passthrough"]),
            network: cursor["network"].flatMap { network($0) },
            extraHosts: extraHosts(cursor["extra_hosts"]),
            privateRanges: privateRanges(cursor["private"]),
            trust: trust(cursor["trust"])
        )
    }

    /// The host pattern in canonical form; nil, with a finding, if `text` is not a valid pattern.
    mutating func host(_ text: String, path: String, at position: SourcePosition, allowsWildcard: Bool) -> HostPattern?
    {
        do {
            let host = try HostWriting(text, allowsWildcard: allowsWildcard)
            for note in host.notes {
                findings.warning(
                    "host-note",
                    "\(path): \(note)",
                    at: position,
                    suggestion: "the host is read as '\(host.pattern)'"
                )
            }
            return host.pattern
        } catch {
            findings.error("invalid-host", "\(path): \(error.message)", at: position, suggestion: error.suggestion)
            return nil
        }
    }

    private mutating func hosts(_ cursor: Cursor?) -> [HostPattern] {
        var hosts: [HostPattern] = []
        for item in cursor?.items ?? [] {
            guard let text = item.text, let host = host(text, path: item.path, at: item.position, allowsWildcard: true)
            else {
                continue
            }
            if hosts.contains(host) {
                findings.error(
                    "duplicate-value",
                    "\(item.path): '\(host)' is in the list already",
                    at: item.position,
                    suggestion: "keep one"
                )
            } else {
                hosts.append(host)
            }
        }
        return hosts
    }

    private mutating func network(_ cursor: Cursor) -> String? {
        guard let name = word(cursor, "a network's name") else { return nil }
        if ["host", "none"].contains(name) {
            findings.error(
                "invalid-value",
                "\(cursor.path): '\(name)' is not a network that a sidecar could be kept apart on",
                at: cursor.position,
                suggestion: "name a network of your own, or leave the key out"
            )
        }
        return name
    }

    mutating func extraHosts(_ cursor: Cursor?) -> [String: IPv4Address] {
        var found: [String: IPv4Address] = [:]
        for entry in cursor?.entries ?? [] {
            let path = entry.value.path
            let name = host(entry.key, path: path, at: entry.keyPosition, allowsWildcard: false)
            guard let text = entry.value.text,
                let address = value(entry.value, { () throws(InvalidValue) in try IPv4Address(text) })
            else { continue }
            if let name, found[name.text] != nil {
                findings.error(
                    "duplicate-key",
                    "\(path): the host '\(name)' has an address already",
                    at: entry.keyPosition
                )
            }
            if let reason = AddressKind.forbidden.first(where: { $0.block.contains(address) })?.name {
                findings.error("forbidden-address", "\(path): \(address) is \(reason)", at: entry.value.position)
            }
            if let name { found[name.text] = address }
        }
        return found
    }

    private mutating func privateRanges(_ cursor: Cursor?) -> [IPv4Block] {
        var ranges: [IPv4Block] = []
        for item in cursor?.items ?? [] {
            guard let text = item.text, let block = value(item, { () throws(InvalidValue) in try IPv4Block(text) })
            else {
                continue
            }
            for kind in AddressKind.forbidden where kind.block.overlaps(block) {
                findings.error(
                    "forbidden-address",
                    "\(item.path): \(block) holds \(kind.block), which is \(kind.name)",
                    at: item.position,
                    suggestion: "name a smaller range"
                )
                break
            }
            if ranges.contains(block) {
                findings.error("duplicate-value", "\(item.path): \(block) is in the list already", at: item.position)
            } else {
                ranges.append(block)
            }
        }
        return ranges
    }

    private mutating func trust(_ cursor: Cursor?) -> [TrustRoot] {
        var roots: [TrustRoot] = []
        for item in cursor?.items ?? [] {
            if let pem = item["pem"], let text = pem.text {
                if let problem = CertificateText.problem(text) {
                    findings.error("invalid-certificate", "\(pem.path): \(problem)", at: pem.position)
                }
                roots.append(.pem(text))
            } else if let path = item.text {
                requireText(item)
                roots.append(.file(path))
            }
        }
        return roots
    }
}

extension StringProtocol {
    /// The text without white space at both ends.
    var trimmingSpaces: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}
