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

    /// A host pattern in canonical form; nil, with a finding, when it is none.
    mutating func host(_ text: String, path: String, at place: Place, allowsWildcard: Bool) -> HostPattern? {
        do {
            let host = try HostWriting(text, allowsWildcard: allowsWildcard)
            for note in host.notes {
                findings.warning(
                    "host-note",
                    "\(path): \(note)",
                    at: place,
                    suggestion: "the host is read as '\(host.pattern)'"
                )
            }
            return host.pattern
        } catch {
            findings.error("invalid-host", "\(path): \(error.message)", at: place, suggestion: error.suggestion)
            return nil
        }
    }

    private mutating func hosts(_ cursor: Cursor?) -> [HostPattern] {
        var hosts: [HostPattern] = []
        for item in cursor?.items ?? [] {
            guard let text = item.text, let host = host(text, path: item.path, at: item.place, allowsWildcard: true)
            else {
                continue
            }
            if hosts.contains(host) {
                findings.error(
                    "duplicate-value",
                    "\(item.path): '\(host)' is in the list already",
                    at: item.place,
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
                at: cursor.place,
                suggestion: "name a network of your own, or leave the key out"
            )
        }
        return name
    }

    mutating func extraHosts(_ cursor: Cursor?) -> [String: IPv4Address] {
        var found: [String: IPv4Address] = [:]
        for entry in cursor?.entries ?? [] {
            let path = entry.value.path
            let name = host(entry.key, path: path, at: entry.keyPlace, allowsWildcard: false)
            guard let text = entry.value.text,
                let address = value(entry.value, { () throws(InvalidValue) in try IPv4Address(text) })
            else { continue }
            if let name, found[name.text] != nil {
                findings.error(
                    "duplicate-key",
                    "\(path): the host '\(name)' has an address already",
                    at: entry.keyPlace
                )
            }
            if let reason = AddressKind.forbidden.first(where: { $0.block.contains(address) })?.name {
                findings.error("forbidden-address", "\(path): \(address) is \(reason)", at: entry.value.place)
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
                    at: item.place,
                    suggestion: "name a smaller range"
                )
                break
            }
            if ranges.contains(block) {
                findings.error("duplicate-value", "\(item.path): \(block) is in the list already", at: item.place)
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
                    findings.error("invalid-certificate", "\(pem.path): \(problem)", at: pem.place)
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

/// Addresses that a bottle never reaches, whatever its manifest says.
struct AddressKind {
    var block: IPv4Block
    var name: String

    private init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: Int, _ name: String) {
        block = IPv4Block(base: IPv4Address(bits: a << 24 | b << 16 | c << 8 | d), prefix: prefix)
        self.name = name
    }

    static let forbidden = [
        AddressKind(127, 0, 0, 0, 8, "loopback: the sidecar itself"),
        AddressKind(169, 254, 0, 0, 16, "link-local, where clouds serve their metadata"),
        AddressKind(0, 0, 0, 0, 8, "'this host'"),
        AddressKind(100, 100, 100, 200, 32, "a cloud's metadata service"),
        AddressKind(192, 0, 0, 192, 32, "a cloud's metadata service"),
        AddressKind(168, 63, 129, 16, 32, "a cloud's control service"),
        AddressKind(224, 0, 0, 0, 4, "multicast"),
        AddressKind(240, 0, 0, 0, 4, "reserved or broadcast"),
    ]
}

/// PEM text as `egress.trust` takes it.
enum CertificateText {
    /// Why `text` can't be a bundle of roots; nil when it can.
    static func problem(_ text: String) -> String? {
        let lines = text.split { $0.isNewline }.map { $0.trimmingSpaces }
        if lines.contains(where: { $0.hasPrefix("-----BEGIN") && $0.contains("PRIVATE KEY") }) {
            return "it holds a private key: name only certificates"
        }
        var isInside = false
        var body: [UInt8] = []
        var count = 0
        for line in lines {
            if line == "-----BEGIN CERTIFICATE-----" {
                guard !isInside else { return "a certificate block has no end" }
                isInside = true
                body = []
            } else if line == "-----END CERTIFICATE-----" {
                guard isInside, let bytes = Base64.decode(body), bytes.count > 64, bytes.first == 0x30 else {
                    return "certificate block \(count + 1) is damaged"
                }
                isInside = false
                count += 1
            } else if isInside {
                body += Array(line.utf8)
            }
        }
        if isInside { return "a certificate block has no end" }
        return count == 0 ? "it holds no '-----BEGIN CERTIFICATE-----' block" : nil
    }
}

extension StringProtocol {
    /// Without white space at either end.
    var trimmingSpaces: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}

/// Base 64 with the standard alphabet.
enum Base64 {
    /// The bytes of `text`; nil for characters outside of the alphabet or wrong padding.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.dropLast(padding) {
            guard let digit = digit(byte) else { return nil }
            bits = bits << 6 | digit
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
