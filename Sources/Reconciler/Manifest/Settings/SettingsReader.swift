package import ReconcilerModel

/// Reads the operator's settings file.
package enum SettingsReader {
    /// Reads the settings in `bytes`, and collects everything that is wrong with them.
    ///
    /// An empty file gives the default settings. If the diagnostics contain an error, don't use the settings. Paths
    /// stay as written: relative ones are relative to the file, `~` is the home folder.
    package static func read(name: String, bytes: [UInt8]) -> (settings: Settings, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var settings = Settings()
        let rule = Cursor.OneDocumentRule(second: "settings are one document", none: nil)
        if let document = Cursor.root(of: name, bytes, rule, &findings), document.node.scalar?.value != .null {
            read(document, &settings, &findings)
        }
        return (settings, findings.ordered(files: [name]))
    }

    private static func read(_ document: Cursor, _ settings: inout Settings, _ findings: inout Findings) {
        document.check(.object(SettingsShape.settings), &findings)
        guard !document.node.holdsLongList else { return }
        var decoder = ManifestDecoder()
        for entry in document["secrets"]?.entries ?? [] {
            do {
                settings.secrets[try SecretReference(entry.key)] = source(entry.value, &decoder)
            } catch {
                findings.invalid(error, path: entry.value.path, at: entry.keyPosition)
            }
        }
        for entry in document["images"]?.entries ?? [] {
            guard let role = Role(rawValue: entry.key), let text = entry.value.text else { continue }
            settings.images[role] = decoder.value(entry.value) { () throws(InvalidValue) in try ImageReference(text) }
        }
        settings.onProposal = (document["on_proposal"]?.items ?? []).compactMap(\.text)
        settings.noise = (document["denied"]?["ignore"]?.items ?? []).compactMap { item in
            item.text.flatMap { text in
                decoder.value(item) { () throws(InvalidValue) in try HostPattern(text) }
            }
        }
        if let pool = document["network"]?["pool"], let text = pool.text,
            let block = decoder.value(pool, { () throws(InvalidValue) in try IPv4Block(text) })
        {
            if let kind = AddressKind.forbidden.first(where: { $0.block.overlaps(block) }) {
                findings.error(
                    "forbidden-address",
                    "\(pool.path): \(block) holds \(kind.block), which is \(kind.name)",
                    at: pool.position
                )
            }
            if block.prefix > 25 {
                findings.error(
                    "invalid-value",
                    "\(pool.path): \(block) is too small: a bottle takes three networks of 16 addresses",
                    at: pool.position,
                    suggestion: "a range of at most /25, better /16"
                )
            }
            settings.networkPool = block
        }
        if let builds = document["builds"] { read(builds, &settings.builds, &decoder) }
        findings.append(decoder.findings)
    }

    private static func read(_ cursor: Cursor, _ builds: inout Settings.Builds, _ decoder: inout ManifestDecoder) {
        builds.allow = (cursor["allow"]?.items ?? []).compactMap { item in
            item.text.flatMap { decoder.host($0, path: item.path, at: item.position, allowsWildcard: true) }
        }
        if let memory = cursor["memory"].flatMap({ decoder.bytes($0) }) { builds.memory = memory }
        if let cpus = cursor["cpus"].flatMap({ decoder.milliCPUs($0) }) { builds.milliCPUs = cpus }
        if let minutes = cursor["minutes"]?.integer { builds.timeLimit = .seconds(60 * minutes) }
        if let size = cursor["size"].flatMap({ decoder.bytes($0) }) { builds.size = size }
    }

    private static func source(_ cursor: Cursor, _ decoder: inout ManifestDecoder) -> SecretSource? {
        if let variable = cursor["env"], let name = variable.text {
            return decoder.value(variable) { () throws(InvalidValue) in try SecretReference(name) }.map {
                .environment($0.name)
            }
        }
        if let file = cursor["file"], let path = file.text {
            decoder.requireText(file)
            return .file(path)
        }
        guard let command = cursor["command"] else { return nil }
        if command.items.first?.text?.isEmpty == true {
            decoder.findings.error(
                "invalid-value",
                "\(command.path)[0], the program, is empty",
                at: command.items[0].position
            )
        }
        return .command(command.items.compactMap(\.text))
    }
}
