import ReconcilerEngine
import ReconcilerModel

/// Registers the supervise server with the agent's own command before the agent starts (SPEC 4.4, 4.5).
///
/// The command runs once in a short-lived container of the agent's image, with the agent's home and without a network.
/// A file in the home records that it ran. A failure is only a warning: the agent works without it.
struct AgentRegistration: Sendable {
    let engine: any EngineWriting
    let identity: Identity
    let installation: InstallationID
    let warn: @Sendable (String) -> Void

    /// How long the command may take.
    private static let patience = Duration.seconds(60)

    private var name: String { "\(Names.container(identity, .agent))-setup" }

    /// They carry no identity, so the planner ignores the container.
    private var labels: [String: String] {
        [Labels.managedBy: "bottle", Labels.installation: installation.text, Labels.role: "agent-setup"]
    }

    /// Registers the server, unless the home says that it was.
    ///
    /// If the process dies here, a container is left; the next call or the bottle's removal removes it.
    /// - Parameter agent: the agent's container, which need not run.
    func run(_ step: DesiredContainer.Setup, of wanted: DesiredContainer, in agent: ContainerID) async throws {
        if try await engine.stat(container: agent.text, path: step.marker) != nil { return }
        do {
            try await removeLeft()
            let ended = try await perform(step, of: wanted)
            if let ended {
                warn("\(ended); to do it by hand, run in the agent: \(step.command.joined(separator: " "))")
                return
            }
            let marker = DesiredFile(
                path: step.marker,
                content: Array((step.command.joined(separator: " ") + "\n").utf8),
                owner: wanted.home?.owner.user ?? 0,
                group: wanted.home?.owner.group ?? 0
            )
            for upload in try FileUpload.of([marker], mounts: wanted.spec.mounts) {
                try await engine.putArchive(container: agent.text, path: upload.folder, .bytes(upload.archive))
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            warn("the agent's command was not told of the supervise server: \(error)")
        }
    }

    /// Removes what a killed process left.
    func removeLeft() async throws {
        do {
            let found = try await engine.container(name)
            guard labels.allSatisfy({ found.config.labels?[$0.key] == $0.value }) else { return }
            try await engine.remove(found.id, force: true, volumes: true)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// - Returns: what went wrong; nil when nothing did.
    private func perform(_ step: DesiredContainer.Setup, of wanted: DesiredContainer) async throws -> String? {
        guard let image = wanted.imageID, let program = step.command.first else { return nil }
        let created = try await engine.createContainer(name: name, request(step, wanted, image: image, program))
        let outcome: Result<String?, any Error>
        do {
            outcome = .success(try await ending(of: created.id, program))
        } catch {
            outcome = .failure(error)
        }
        try await engine.remove(created.id, force: true, volumes: true)
        return try outcome.get()
    }

    private func ending(of id: String, _ program: String) async throws -> String? {
        do {
            try await engine.start(id)
        } catch {
            guard error.status != nil else { throw error }
            return "'\(program)' can't be run in the agent's image, so it was not told of the supervise server"
        }
        let status = try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await engine.wait(id) }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard status != 0 else { return nil }
        // The exit status of an init that can't find the program.
        if status == 127 { return "the agent's image has no '\(program)', so it was not told of the supervise server" }
        let end = status.map { "ended with status \($0)" } ?? "took longer than \(Self.patience)"
        return "'\(program)' \(end) when it was told of the supervise server"
    }

    private func request(
        _ step: DesiredContainer.Setup,
        _ wanted: DesiredContainer,
        image: String,
        _ program: String
    ) -> ContainerCreate {
        let config = ContainerConfig(
            image: image,
            user: wanted.spec.user,
            environment: wanted.spec.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
            command: Array(step.command.dropFirst()),
            entrypoint: [program],
            labels: labels
        )
        let host = HostConfig(
            networkMode: "none",
            initProcess: true,
            runtime: wanted.spec.runtime,
            dropCapabilities: ["ALL"],
            securityOptions: ["no-new-privileges"],
            isPrivileged: false,
            memory: 2 << 30,
            memorySwap: 2 << 30,
            nanoCPUs: 1_000_000_000,
            pidsLimit: 256,
            logging: .init(type: "json-file", options: ["max-size": "1048576", "max-file": "1"]),
            restartPolicy: .init(name: "no"),
            mounts: wanted.spec.mounts.map { Mount(type: .volume, source: $0.volume, target: $0.target) }
        )
        return ContainerCreate(config: config, hostConfig: host)
    }
}
