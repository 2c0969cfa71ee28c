import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerSupervise
import ReconcilerTime

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Runs in the supervise sidecar; hidden, since only the reconciler starts it.
struct SuperviseServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise-server",
        abstract: "Serve the tools by which an agent asks for more; print one JSON line an event.",
        discussion: """
            Inside the supervise sidecar. The folder holds `in`, which is written, and `out`, which is read.

              bottle supervise-server --listen 10.0.0.4:9100 --queue /queue
              bottle supervise-server --listen 127.0.0.1:0 --queue ./queue --confirm off
            """,
        shouldDisplay: false
    )

    @Option(
        name: .long,
        help: "Address and port to listen on: an IPv4 address of this machine; port 0 is any free one."
    )
    var listen: String

    @Option(name: .long, help: "The bottle's queue folder.")
    var queue: String

    @Option(name: .long, help: "The link that says the server is ready, or off.")
    var confirm = LoadConfirmation.path

    private var address: (host: String, port: Int)? {
        guard let colon = listen.lastIndex(of: ":"), let host = try? IPv4Address(String(listen[..<colon])),
            let port = UInt16(listen[listen.index(after: colon)...])
        else { return nil }
        return (host.description, Int(port))
    }

    func validate() throws {
        guard address != nil else {
            throw ValidationError("--listen must be an IPv4 address and a port: 10.0.0.4:9100")
        }
    }

    func run() async throws {
        let console = Console(terminal: .current(environment: [:]))
        guard let address else { throw ExitStatus.failure }
        StopSignals.install()
        // There is nothing to reload.
        _ = signal(SIGHUP, SIG_IGN)
        let log = EventLog(time: .system) { console.out($0) }
        do {
            if confirm != "off" { try LoadConfirmation.withdraw(at: confirm) }
            let server = try SuperviseServer(
                host: address.host,
                port: address.port,
                queue: SidecarQueue(folder: queue),
                version: Version.text,
                time: .system,
                log: log
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await StopSignals.wait() }
                group.addTask {
                    try await server.run { port in
                        log.listening(at: "\(address.host):\(port)")
                        if confirm != "off" { try LoadConfirmation.confirmNothing(at: confirm) }
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            console.err("supervise-server: \(error)")
            throw ExitStatus.failure
        }
    }
}
