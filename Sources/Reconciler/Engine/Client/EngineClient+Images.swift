import NIOHTTP1

extension EngineClient {
    /// Maps to `GET /images/json`.
    package func images(labels: [String], reference: String?) async throws(EngineError) -> [ImageSummary] {
        let filters = ["label": labels, "reference": reference.map { [$0] } ?? []]
        let query = try EngineRequest.filters(filters)
        return try await value([ImageSummary].self, request(.GET, "/images/json", query))
    }

    /// Maps to `GET /images/{name}/json`.
    package func image(_ reference: String) async throws(EngineError) -> ImageDetails {
        try await value(ImageDetails.self, request(.GET, try Self.imagePath(reference, "/json")))
    }

    /// Maps to `POST /build`.
    package func build(
        context: EngineBody,
        options: BuildOptions
    ) async throws(EngineError) -> EngineStream<ProgressLine> {
        var query = options.tags.map { ("t", $0) }
        query += [("dockerfile", options.dockerfile), ("rm", "1"), ("forcerm", "1")]
        if options.noCache { query.append(("nocache", "1")) }
        if options.pull { query.append(("pull", "1")) }
        for (key, value) in [("labels", options.labels), ("buildargs", options.arguments)] where !value.isEmpty {
            query.append((key, String(decoding: try EngineJSON.encode(value), as: UTF8.self)))
        }
        if let mode = options.networkMode { query.append(("networkmode", mode)) }
        if let target = options.target { query.append(("target", target)) }
        if let memory = options.memory { query.append(("memory", String(memory))) }
        if let swap = options.memorySwap { query.append(("memswap", String(swap))) }
        if let milliCPUs = options.milliCPUs {
            query += [("cpuperiod", "100000"), ("cpuquota", String(milliCPUs * 100))]
        }
        if let size = options.fileSize {
            let limits = [HostConfig.Ulimit(name: "fsize", soft: size, hard: size)]
            query.append(("ulimits", String(decoding: try EngineJSON.encode(limits), as: UTF8.self)))
        }
        query += options.extraHosts.map { ("extrahosts", $0) }
        let request = patient(request(.POST, "/build", query, body: context, contentType: "application/x-tar"))
        return try await stream(request).decoded(by: JSONLines<ProgressLine>(path: request.path))
    }

    /// Maps to `POST /images/create`.
    package func pull(_ reference: String) async throws(EngineError) -> EngineStream<ProgressLine> {
        // Without a tag the engine pulls all of them.
        let lastPart = reference.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !lastPart.isEmpty else { throw .invalidArgument("'\(reference)' is not the name of an image") }
        let isTagged = lastPart.contains(":") || lastPart.contains("@")
        let query = [("fromImage", isTagged ? reference : "\(reference):latest")]
        let request = patient(request(.POST, "/images/create", query))
        return try await stream(request).decoded(by: JSONLines<ProgressLine>(path: request.path))
    }

    /// Maps to `POST /images/{name}/tag`.
    package func tag(_ image: String, as reference: String) async throws(EngineError) {
        var repository = reference[...]
        var tag = "latest"
        if let colon = reference.lastIndex(of: ":"), !reference[colon...].contains("/") {
            repository = reference[..<colon]
            tag = String(reference[reference.index(after: colon)...])
        }
        let query = [("repo", String(repository)), ("tag", tag)]
        try await call(request(.POST, try Self.imagePath(image, "/tag"), query))
    }

    /// Maps to `DELETE /images/{name}`.
    package func removeImage(_ reference: String, force: Bool) async throws(EngineError) {
        let query = [("force", force ? "1" : "0")]
        try await call(patient(request(.DELETE, try Self.imagePath(reference), query)))
    }

    private static func imagePath(_ reference: String, _ rest: String = "") throws(EngineError) -> String {
        "/images/\(try EngineRequest.imageSegments(reference))\(rest)"
    }
}
