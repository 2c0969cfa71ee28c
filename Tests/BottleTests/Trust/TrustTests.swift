import ReconcilerPlatform
import Testing

/// The matrix of docs/trust.md, tried with the programs themselves.
@Suite("A bottle's CA", .serialized, .needsEngine, ToolboxTrait())
struct TrustTests {
    /// A program that is to accept the CA and go through the proxy.
    struct Program: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Sets of variables; without any one of these sets nothing that the program does reaches a server.
        let needs: [[String]]
        /// The setting of docs/trust.md that it needs.
        var setting: String?
        let script: String
    }

    @Test("is accepted, and the request arrives through the proxies, credential and all", arguments: Program.all)
    func accepted(_ program: Program) async throws {
        let toolbox = try Toolbox.current()
        let mark = toolbox.mark()
        let others = Toolbox.settings.keys.filter { $0 != program.setting }
        let run = try await toolbox.run(program.script, mark: mark, without: others)
        #expect(run.status == 0, "\(run)")
        let seen = try await toolbox.registries.requests(holding: mark, due: true)
        #expect(!seen.isEmpty)
        #expect(seen.allSatisfy { $0.headers["authorization"] == "Bearer \(toolbox.token)" })
    }

    @Test("is what the variables are for: without them no request arrives", arguments: Program.all)
    func refused(_ program: Program) async throws {
        let toolbox = try Toolbox.current()
        let others = Toolbox.settings.keys.filter { $0 != program.setting }
        for needed in program.needs {
            let mark = toolbox.mark()
            let run = try await toolbox.run(program.script, mark: mark, without: others + needed)
            #expect(run.status != 0, "\(needed): \(run)")
            #expect(try await toolbox.registries.requests(holding: mark, due: false).isEmpty, "\(needed)")
        }
    }

    @Test("is refused by a Java that was told of the proxy alone")
    func javaWithoutStore() async throws {
        let toolbox = try Toolbox.current()
        let mark = toolbox.mark()
        let options = "-Dhttps.proxyHost=egress-proxy -Dhttps.proxyPort=9099"
        let java = "java \(options) /opt/Get.java $URL/hello"
        let run = try await toolbox.run(java, mark: mark, without: ["JAVA_TOOL_OPTIONS", "NODE_OPTIONS"])
        #expect(run.status != 0)
        #expect(run.errors.contains("SSLHandshakeException"), "\(run)")
        #expect(try await toolbox.registries.requests(holding: mark, due: false).isEmpty)
    }

    @Test("leaves the settings of a user and of an image in force beside its own")
    func settingsKept() async throws {
        let toolbox = try Toolbox.current()
        let mark = toolbox.mark()
        let wget = "echo 'header = X-Mine: yes' >.wgetrc\nwget -q -t 1 -O /dev/null $URL/hello"
        let run = try await toolbox.run(wget, mark: mark, without: [])
        #expect(run.status == 0, "\(run)")
        #expect(try await toolbox.registries.requests(holding: mark, due: true).map { $0.headers["x-mine"] } == ["yes"])
        let apt = try await toolbox.run("apt-config dump", mark: mark, without: [])
        #expect(apt.output.contains("Acquire::https::CAInfo \"/etc/bottle/ca-bundle.pem\""))
        #expect(apt.output.contains("APT::NeverAutoRemove"))
    }
}
