import NIOHTTP1
import ReconcilerTime

extension EngineClient {
    /// Maps to `HEAD /containers/{id}/archive`; on 404 also to `GET /containers/{id}/json`.
    ///
    /// The answer to a HEAD has no body that could tell a missing file from a missing container.
    package func stat(container: String, path: String) async throws(EngineError) -> PathStat? {
        let request = request(.HEAD, try Self.path(container, "/archive"), [("path", path)])
        let headers: HTTPHeaders
        do {
            headers = try await call(request).head.headers
        } catch {
            guard error.isNotFound else { throw error.saying("the engine would not look at \(path) in \(container)") }
            _ = try await self.container(container)
            return nil
        }
        guard let text = headers.first(name: "X-Docker-Container-Path-Stat"), let json = EngineJSON.base64(text) else {
            throw .decoding(path: request.path, message: "no readable X-Docker-Container-Path-Stat header")
        }
        var stat = try EngineJSON.decode(PathStat.self, from: json, path: request.path)
        stat.seenAt = headers.first(name: "Date").flatMap(Timestamp.init(httpDate:))
        return stat
    }

    /// Maps to `GET /containers/{id}/archive`.
    package func archive(container: String, path: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        var request = request(.GET, try Self.path(container, "/archive"), [("path", path)])
        request.deadlines.idle = longTimeout
        return try await stream(request)
    }

    /// Maps to `PUT /containers/{id}/archive`.
    package func putArchive(
        container: String,
        path: String,
        _ archive: EngineBody,
        options: PutArchiveOptions
    ) async throws(EngineError) {
        var query = [("path", path)]
        if options.keepKinds { query.append(("noOverwriteDirNonDir", "1")) }
        if options.copyOwner { query.append(("copyUIDGID", "1")) }
        var request = request(
            .PUT,
            try Self.path(container, "/archive"),
            query,
            body: archive,
            contentType: "application/x-tar"
        )
        request.deadlines.idle = callTimeout
        switch archive {
        case .bytes: try await call(request)
        case .stream: _ = try await stream(request).collect(upTo: Self.messageLimit)
        }
    }
}
