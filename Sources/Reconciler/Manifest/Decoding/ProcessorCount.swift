import ReconcilerModel

/// Numbers of processors, exact to one thousandth.
enum ProcessorCount {
    static func read(_ text: String) throws(InvalidValue) -> Int {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let isDecimal = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
        guard isDecimal, parts.count <= 2, fraction.count <= 3, let whole = Int(parts[0]), whole <= 1024,
            let thousandths = Int(fraction + String(repeating: "0", count: 3 - fraction.count))
        else { throw invalid(text) }
        let value = whole * 1000 + thousandths
        guard value >= 10, value <= 1_024_000 else { throw invalid(text) }
        return value
    }

    static func text(_ thousandths: Int) -> String {
        guard thousandths % 1000 != 0 else { return String(thousandths / 1000) }
        var fraction = String(thousandths % 1000)
        fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(thousandths / 1000).\(fraction)"
    }

    private static func invalid(_ text: String) -> InvalidValue {
        InvalidValue(kind: "number of processors", text: text, rule: "0.01 to 1024 with at most three decimals")
    }
}
