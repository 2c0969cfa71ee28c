import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check what bottle needs on this machine, and say what to do about what is missing.",
        discussion: """
              bottle doctor
              bottle doctor -o json
            """
    )

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let checks = await DoctorChecks(context: context).all()
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(DoctorDocument(checks: checks)) {
            checks.map { check in
                let mark =
                    switch check.verdict {
                    case .good: style.green("✓")
                    case .warning: style.yellow("!")
                    case .bad: style.red("✗")
                    }
                let next = check.remedy.map { "\n    next: \($0)" } ?? ""
                return "\(mark) \(check.name): \(VisibleText.line(check.finding))\(next)"
            }.joined(separator: "\n")
        }
        if checks.contains(where: { $0.verdict == .bad }) { throw ExitStatus.failure }
    }
}

struct DoctorDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Diagnosis"
    var checks: [DoctorCheck]
}

/// One thing that was looked at.
struct DoctorCheck: Encodable {
    enum Verdict: String, Encodable { case good, warning, bad }

    var name: String
    var verdict: Verdict
    var finding: String
    var remedy: String?
}

struct DoctorChecks {
    let context: CommandContext

    func all() async -> [DoctorCheck] {
        var checks = [settings(), await git()] + (await state())
        do {
            let engine = try await context.engine()
            defer { engine.close() }
            checks.append(
                DoctorCheck(
                    name: "engine",
                    verdict: .good,
                    finding: "answers at \(engine.address), API \(engine.apiVersion)"
                )
            )
            checks += try await self.engine(engine)
        } catch {
            checks.append(bad("engine", error))
        }
        return checks
    }

    private func settings() -> DoctorCheck {
        do {
            _ = try context.settings()
            return DoctorCheck(name: "settings", verdict: .good, finding: context.paths.settings)
        } catch let invalid as InvalidManifest {
            return DoctorCheck(
                name: "settings",
                verdict: .bad,
                finding: "\(context.paths.settings): \(invalid.diagnostics.map(\.message).joined(separator: "; "))",
                remedy: "mend the file"
            )
        } catch {
            return bad("settings", error)
        }
    }

    private func git() async -> DoctorCheck {
        do {
            let outcome = try await Program("git", ["--version"], environment: context.environment).run()
            let version = String(decoding: outcome.output, as: UTF8.self).trimmingLastNewline
            return DoctorCheck(name: "git", verdict: outcome.succeeded ? .good : .bad, finding: version)
        } catch {
            return DoctorCheck(name: "git", verdict: .bad, finding: "\(error)", remedy: "install git 2.30 or later")
        }
    }

    private func engine(_ engine: any EngineReading) async throws -> [DoctorCheck] {
        let info = try await engine.info()
        let version = try await engine.version()
        var checks = [DoctorCheck(name: "engine version", verdict: .good, finding: version.version)]
        // 25.0.5 stopped forwarding outside names from internal networks; agents get a resolver that forwards nothing.
        if version.apiVersion.isOlder(than: "1.44") {
            checks.append(
                DoctorCheck(
                    name: "internal networks",
                    verdict: .warning,
                    finding: "this engine can forward DNS from internal networks (CVE-2024-29018)",
                    remedy:
                        "bottle gives agents a resolver that forwards nothing; an engine from 25.0.5 on is better still"
                )
            )
        }
        let secure = info.securityOptions.contains { $0.contains("seccomp") }
        checks.append(
            DoctorCheck(
                name: "seccomp",
                verdict: secure ? .good : .warning,
                finding: secure ? "on" : "off: containers can make every system call",
                remedy: secure ? nil : "run an engine with its default seccomp profile"
            )
        )
        return checks
    }
}

extension String {
    /// Whether this version, numbers joined by dots, comes before `other`.
    fileprivate func isOlder(than other: String) -> Bool {
        let mine = split(separator: ".").map { Int($0) ?? 0 }
        let theirs = other.split(separator: ".").map { Int($0) ?? 0 }
        return mine.lexicographicallyPrecedes(theirs)
    }
}
