import FoundationEssentials

extension EngineAddress {
    /// The engine that `docker` itself would use, and the setting that chose it.
    ///
    /// Tries in this order: `flag`, `DOCKER_HOST`, the docker context of `DOCKER_CONTEXT` or of the docker
    /// configuration, the first of the usual sockets that exists (`/var/run/docker.sock` if none does). Reads files;
    /// connects to nothing.
    package static func resolve(
        flag: String?,
        environment: [String: String],
        home: String
    ) throws(EngineError) -> (address: EngineAddress, origin: String) {
        if let flag { return (try EngineAddress(flag), "--host") }
        if let host = environment["DOCKER_HOST"], !host.isEmpty {
            let address = try EngineAddress(host)
            if case .tcp = address, environment["DOCKER_TLS_VERIFY"]?.isEmpty == false {
                throw .invalidAddress(host, reason: "DOCKER_TLS_VERIFY asks for TLS, which is not supported")
            }
            return (address, "DOCKER_HOST")
        }
        let folder = environment["DOCKER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(home)/.docker"
        if let context = try DockerContext.current(folder: folder, environment: environment) {
            return (try context.address(folder: folder), "docker context '\(context.name)'")
        }
        var sockets = ["/var/run/docker.sock"]
        if let runtime = environment["XDG_RUNTIME_DIR"], !runtime.isEmpty { sockets.append("\(runtime)/docker.sock") }
        sockets.append("\(home)/.docker/run/docker.sock")
        let socket = sockets.first { FileManager.default.fileExists(atPath: $0) }
        return (.unix(socket ?? sockets[0]), socket == nil ? "the default" : "a usual socket")
    }
}

/// A named engine of the docker command.
private struct DockerContext {
    let name: String

    /// The chosen context; nil for the default one.
    static func current(folder: String, environment: [String: String]) throws(EngineError) -> DockerContext? {
        struct Configuration: Decodable { var currentContext: String? }
        var name = environment["DOCKER_CONTEXT"] ?? ""
        if name.isEmpty, let bytes = FileManager.default.contents(atPath: "\(folder)/config.json") {
            let file = "\(folder)/config.json"
            name = try EngineJSON.decode(Configuration.self, from: Array(bytes), path: file).currentContext ?? ""
        }
        return name.isEmpty || name == "default" ? nil : DockerContext(name: name)
    }

    /// The address in the context's metadata.
    ///
    /// Reads each folder's metadata, because the folder's name is a hash of the context's name.
    func address(folder: String) throws(EngineError) -> EngineAddress {
        struct Metadata: Decodable {
            struct DockerEndpoint: Decodable {
                var host: String?

                enum CodingKeys: String, CodingKey { case host = "Host" }
            }

            var name: String
            var endpoints: [String: DockerEndpoint]?

            enum CodingKeys: String, CodingKey {
                case name = "Name"
                case endpoints = "Endpoints"
            }
        }
        let root = "\(folder)/contexts/meta"
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        for id in ids.sorted() {
            let file = "\(root)/\(id)/meta.json"
            // Ignore the broken file of another context.
            guard let bytes = FileManager.default.contents(atPath: file),
                let metadata = try? EngineJSON.decode(Metadata.self, from: Array(bytes), path: file),
                metadata.name == name
            else { continue }
            guard let host = metadata.endpoints?["docker"]?.host, !host.isEmpty else {
                throw .invalidAddress(name, reason: "\(file) names no docker host")
            }
            let address = try EngineAddress(host)
            if case .tcp = address, FileManager.default.fileExists(atPath: "\(folder)/contexts/tls/\(id)/docker") {
                throw .invalidAddress(host, reason: "the docker context '\(name)' asks for TLS, which is not supported")
            }
            return address
        }
        throw .invalidAddress(name, reason: "there is no docker context of this name under \(root)")
    }
}
