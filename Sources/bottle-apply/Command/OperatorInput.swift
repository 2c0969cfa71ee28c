import ReconcilerManifest
import ReconcilerModel

/// What an operator writes on the command line, read as a manifest's parts are.
enum OperatorInput {
    /// A host or `*.` pattern.
    ///
    /// - Throws: `InvalidManifest`.
    static func host(_ text: String) throws -> HostPattern {
        let reading = EntryListReader.hosts(file: "argument", bytes: Array(text.utf8))
        guard let hosts = reading.hosts else { throw InvalidManifest(diagnostics: reading.diagnostics) }
        guard hosts.count == 1 else { throw BottleError(.invalidHost, "'\(text)' is not one host") }
        return hosts[0]
    }

    /// One route, as JSON or as a mapping in flow-style YAML.
    ///
    /// - Throws: `InvalidManifest`.
    static func route(_ text: String) throws -> Route {
        let reading = EntryListReader.routes(file: "argument", bytes: Array("routes: [\n\(text)\n]\n".utf8))
        guard let routes = reading.routes else {
            throw InvalidManifest(diagnostics: reading.diagnostics.map(unframed))
        }
        guard routes.count == 1 else { throw BottleError(.invalidRoute, "one argument is one route") }
        return routes[0]
    }

    /// With the lines as they were written, without the frame around them.
    private static func unframed(_ diagnostic: Diagnostic) -> Diagnostic {
        var diagnostic = diagnostic
        if let location = diagnostic.location {
            diagnostic.location = SourceLocation(
                file: location.file,
                line: max(location.line - 1, 1),
                column: location.column
            )
        }
        return diagnostic
    }
}
