import ReconcilerModel
import ReconcilerOperations

/// Shows lines of logs, each behind its container's role in that role's colour.
final class LogPrinter: Sendable {
    private let console: Console
    private let isDocument: Bool
    private let width: Int
    private let timestamps: Bool

    init(context: CommandContext, roles: [Role], timestamps: Bool) {
        console = context.console
        isDocument = context.format.isDocument
        width = roles.map(\.rawValue.count).max() ?? 0
        self.timestamps = timestamps
    }

    private struct Document: Encodable {
        var role: String
        var time: String
        var stream: String
        var text: String
    }

    func show(_ line: LogRecord) {
        let role = line.role
        let text = VisibleText.line(String(decoding: line.bytes, as: UTF8.self), limit: 20_000)
        guard !isDocument else {
            let document = Document(
                role: role.rawValue,
                time: line.time,
                stream: line.isError ? "stderr" : "stdout",
                text: text
            )
            if let text = try? OutputFormat.line(of: document) { console.out(text) }
            return
        }
        let name = role.rawValue.padded(to: width)
        let style = Style(isOn: console.colorsOutput)
        let time = timestamps ? "\(style.dim(line.time)) " : ""
        console.out("\(style.colored(name, role)) | \(time)\(text)")
    }
}

extension Style {
    fileprivate func colored(_ text: String, _ role: Role) -> String {
        switch role {
        case .agent: bold(text)
        case .egressProxy: green(text)
        case .firewall: yellow(text)
        default: dim(text)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
