/// What a change of the desired state adds to what a bottle may do, and what it takes away.
///
/// Judged by effect: an entry that another one covers adds nothing, order and spelling don't count, and hosts count for
/// nothing while there is no way out. Empty exactly when both states allow the same. Prompts and labels give no
/// authority.
package enum Authority {
    /// The difference between two effective manifests, sorted; nil stands for a bottle that is not there.
    package static func changes(from old: BottleManifest?, to new: BottleManifest?) -> [AuthorityChange] {
        let added = additions(from: old, to: new).map { AuthorityChange(.added, $0.kind, $0.subject) }
        let removed = additions(from: new, to: old).map { AuthorityChange(.removed, $0.kind, $0.subject) }
        return Set(added + removed).sorted()
    }

    /// Something that a state allows.
    struct Permission: Hashable {
        var kind: AuthorityChange.Kind
        var subject: String

        init(_ kind: AuthorityChange.Kind, _ subject: String) {
            self.kind = kind
            self.subject = subject
        }
    }

    /// What `new` allows and `old` does not.
    private static func additions(from old: BottleManifest?, to new: BottleManifest?) -> [Permission] {
        guard let new else { return [] }
        return reach(from: old, to: new) + egress(from: old, to: new) + git(from: old, to: new)
            + agent(from: old?.agent, to: new.agent)
            + (new.supervise && old?.supervise != true ? [Permission(.supervise, "the agent may ask for more")] : [])
    }

    // MARK: - Which hosts are reached, and how

    private static func reach(from old: BottleManifest?, to new: BottleManifest) -> [Permission] {
        let (before, after) = (Reach(old), Reach(new))
        var found = Set(before.entries.keys).union(after.entries.keys).sorted().flatMap { host in
            after.entry(for: host)?.additions(to: before.entry(for: host), host: host) ?? []
        }
        guard !after.entries.isEmpty else { return found }
        func ranks(_ reach: Reach, _ old: EgressSpec.Firewall?) -> EgressSpec.Firewall? {
            reach.entries.isEmpty ? nil : old
        }
        let (was, now) = (ranks(before, old?.egress.firewall), new.egress.firewall)
        if now == .none, was != EgressSpec.Firewall.none { found.append(Permission(.noFirewall, "every host")) }
        if now != .pipelock, was == nil || was == .pipelock {
            // The built-in list of squid looks at names only.
            found.append(Permission(.unscanned, "every host"))
        }
        if now == .pipelock, was == nil || was == .pipelock {
            let known = was == .pipelock ? old?.egress.passthrough ?? [] : []
            for host in new.egress.passthrough where !known.contains(where: { $0.covers(host) }) {
                found.append(Permission(.passthrough, host.text))
            }
        }
        return found
    }

    // MARK: - Where it leads

    private static func egress(from old: BottleManifest?, to new: BottleManifest) -> [Permission] {
        var found: [Permission] = []
        if let network = new.egress.network, network != old?.egress.network {
            found.append(Permission(.egressNetwork, network))
        }
        let known = addresses(of: old)
        found += addresses(of: new).subtracting(known).map { Permission(.extraHost, $0) }
        let ranges = IPv4Block.merged(old?.egress.privateRanges ?? [])
        for range in IPv4Block.merged(new.egress.privateRanges)
        where !ranges.contains(where: { $0.prefix <= range.prefix && $0.contains(range.base) }) {
            found.append(Permission(.privateRange, range.description))
        }
        let roots = Set((old?.egress.trust ?? []).flatMap(\.certificates))
        found += Set(new.egress.trust.flatMap(\.certificates)).subtracting(roots).map { Permission(.trustRoot, $0) }
        return found
    }

    private static func addresses(of manifest: BottleManifest?) -> Set<String> {
        guard let manifest else { return [] }
        let tables = [manifest.egress.extraHosts] + manifest.git.map(\.extraHosts)
        return Set(tables.flatMap { $0.map { "\($0.key) is \($0.value)" } })
    }

    // MARK: - What may be pushed

    private static func git(from old: BottleManifest?, to new: BottleManifest) -> [Permission] {
        new.git.flatMap { remote in
            let target = "\(remote.name): \(remote.upstream) with \(remote.identityFile)"
            let before = old?.git.first {
                $0.name == remote.name && $0.upstream == remote.upstream && $0.identityFile == remote.identityFile
            }
            var found = before == nil ? [Permission(.pushTarget, target)] : []
            let refs = before.map(\.pushedRefs) ?? []
            for ref in remote.pushedRefs where !refs.contains(where: { covers($0, ref) }) {
                found.append(Permission(.pushRef, "\(remote.name) \(ref)"))
            }
            for pattern in Set(remote.allowBinary).subtracting(before?.allowBinary ?? []) {
                found.append(Permission(.pushUnscanned, "\(remote.name) \(pattern)"))
            }
            if let key = remote.knownHostKey, key != before?.knownHostKey {
                found.append(Permission(.pushHostKey, "\(remote.name) \(ContentDigest(of: key).hex.prefix(12))"))
            }
            return found
        }
    }

    /// Whether a ref pattern names everything that another one names.
    private static func covers(_ pattern: String, _ other: String) -> Bool {
        pattern == other || (pattern.hasSuffix("*") && other.hasPrefix(pattern.dropLast()))
    }
}

extension GitRemote {
    /// Ref patterns that may be pushed, with the default in words.
    fileprivate var pushedRefs: [String] { refs.isEmpty ? ["refs/heads/*", "refs/tags/*"] : refs }
}

extension TrustRoot {
    /// Each certificate by the beginning of the SHA-256 of its text without white space; a file by its path.
    fileprivate var certificates: [String] {
        guard case .pem(let text) = self else {
            if case .file(let path) = self { return ["file \(path)"] }
            return []
        }
        var parts: [[UInt8]] = [[]]
        for line in text.split(whereSeparator: \.isNewline) {
            parts[parts.count - 1] += line.utf8.filter { $0 > 32 }
            if line.hasPrefix("-----END") { parts.append([]) }
        }
        return parts.filter { !$0.isEmpty }.map { "SHA-256 \(ContentDigest(of: $0).hex.prefix(16))" }
    }
}

extension IPv4Block {
    /// The fewest blocks that hold the same addresses, sorted.
    static func merged(_ blocks: [IPv4Block]) -> [IPv4Block] {
        var result: [IPv4Block] = []
        for block in Set(blocks).sorted() {
            if let last = result.last, last.prefix <= block.prefix, last.contains(block.base) { continue }
            result.append(block)
            // Two halves make a whole, which may be the half of another.
            while result.count >= 2, let high = result.last, let low = result.dropLast().last,
                high.prefix == low.prefix, high.prefix > 0
            {
                let whole = IPv4Block(base: low.base, prefix: low.prefix - 1)
                guard whole.base == low.base, whole.contains(high.base) else { break }
                result.removeLast(2)
                result.append(whole)
            }
        }
        return result
    }
}
