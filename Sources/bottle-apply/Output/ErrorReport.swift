import ReconcilerManifest
import ReconcilerModel

/// An error as a document (SPEC 10).
struct ErrorDocument: Encodable {
    var kind = "Error"
    var code: String
    var message: String
    var `where`: String?
    var remedy: String?
    var cause: String?

    private enum CodingKeys: String, CodingKey { case kind, code, message, `where`, remedy, cause }

    init(_ error: BottleError) {
        code = error.code.rawValue
        message = error.message
        self.where = error.location
        remedy = error.remedy
        cause = error.cause
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(code, forKey: .code)
        try container.encode(message, forKey: .message)
        try container.encode(self.where, forKey: .where)
        try container.encode(remedy, forKey: .remedy)
        try container.encode(cause, forKey: .cause)
    }
}

extension BottleError {
    /// What a person reads: what, where, why, what next.
    func text(_ style: Style) -> String {
        var text = style.red("error: ") + VisibleText.line(message)
        if let location { text += "\n  where: \(VisibleText.line(location))" }
        if let cause { text += "\n  cause: \(VisibleText.lines(cause, indent: "         "))" }
        if let remedy { text += "\n  next:  \(VisibleText.lines(remedy, indent: "         "))" }
        return text
    }
}
