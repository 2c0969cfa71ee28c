package import ReconcilerModel

/// Finds and reads the files that `-f` names.
package enum ManifestFiles {
    /// Loads the sources that `arguments` name, in order, and reports what could not be read.
    ///
    /// An argument is a file, a folder, or `-` for `standardInput`. A folder stands for its `*.yaml`, `*.yml`, `*.json`
    /// and `*.md` in order of name, without subfolders; Markdown counts only with front matter. A source's name is its
    /// path as given.
    ///
    /// - Parameter folder: the folder against which relative arguments are resolved; nil for the process's own.
    package static func load(
        _ arguments: [String],
        standardInput: [UInt8]? = nil,
        folder: String? = nil
    ) -> (sources: [ManifestSource], diagnostics: [Diagnostic]) {
        var loading = Loading(folder: folder ?? HostFiles.currentFolder ?? "/")
        if arguments.isEmpty {
            loading.report("no-manifest", "no manifest is named", nil, "name a file with -f bottle.yaml")
        }
        for argument in arguments {
            if argument == "-" {
                loading.add(standardInput: standardInput)
            } else {
                loading.add(argument)
            }
        }
        return (loading.sources, loading.diagnostics)
    }
}

private struct Loading {
    let folder: String
    var sources: [ManifestSource] = []
    var diagnostics: [Diagnostic] = []
    private var seen: Set<String> = []

    init(folder: String) { self.folder = folder }

    mutating func add(standardInput: [UInt8]?) {
        guard let bytes = standardInput else {
            return report("unreadable", "standard input can't be read", "<stdin>", "pipe a manifest in, or name a file")
        }
        guard seen.insert("-").inserted else { return }
        sources.append(ManifestSource(name: "<stdin>", folder: folder, bytes: bytes))
    }

    mutating func add(_ argument: String) {
        let path = argument.hasPrefix("/") ? argument : folder + "/" + argument
        do {
            guard let status = try HostFiles.status(path) else {
                return report(
                    "no-such-file",
                    "there is no file or folder '\(argument)'",
                    argument,
                    "check the path given to -f"
                )
            }
            if status.kind == .folder {
                try addFolder(argument, path)
            } else {
                try addFile(argument, path, isChosen: true)
            }
        } catch {
            report("unreadable", "'\(argument)' can't be read: \(error.reason)", argument, "check that you may read it")
        }
    }

    private mutating func addFolder(_ argument: String, _ path: String) throws(FileProblem) {
        let endings = [".yaml", ".yml", ".json", ".md"]
        let before = sources.count
        var found = false
        for name in try HostFiles.names(in: path) where endings.contains(where: name.hasSuffix) && !name.hasPrefix(".")
        {
            let shown = argument.hasSuffix("/") ? argument + name : argument + "/" + name
            do {
                guard try HostFiles.status(path + "/" + name)?.kind == .file else { continue }
                found = true
                try addFile(shown, path + "/" + name, isChosen: false)
            } catch {
                report("unreadable", "'\(shown)' can't be read: \(error.reason)", shown, "check that you may read it")
            }
        }
        if sources.count == before, !found {
            report(
                "no-manifest",
                "the folder '\(argument)' holds no manifest",
                argument,
                "it has no *.yaml, *.yml, *.json or *.md"
            )
        }
    }

    private mutating func addFile(_ name: String, _ path: String, isChosen: Bool) throws(FileProblem) {
        let real = HostFiles.resolved(path) ?? path
        guard seen.insert(real).inserted else { return }
        // One byte more than the limit, so that the reader reports a file that is too large.
        let bytes: [UInt8]
        do {
            bytes = try HostFiles.read(path, limit: YAMLLimits.manifest.bytes)
        } catch  where error.reason.hasPrefix("it has more") {
            return report(
                "too-large",
                "the file has more than \(YAMLLimits.manifest.bytes) bytes",
                name,
                "move long texts to files that it names"
            )
        }
        if !isChosen, ManifestSource.isMarkdown(name), !FrontMatter.begins(bytes) { return }
        sources.append(ManifestSource(name: name, folder: HostPath.parent(of: HostPath.normal(path)), bytes: bytes))
    }

    mutating func report(_ code: String, _ message: String, _ file: String?, _ suggestion: String) {
        diagnostics.append(
            Diagnostic(
                code: code,
                message: message,
                location: file.map { SourceLocation(file: $0, line: 1, column: 1) },
                suggestion: suggestion
            )
        )
    }
}
