import ReconcilerModel

/// Sizes of memory as a person writes them.
///
/// A whole number of bytes, or a whole number with `KiB`, `MiB`, `GiB` or `TiB` (also `Ki`, `Mi`, …), always powers of
/// 1024. `4G` and `4GB` are refused: some programs read 4,000,000,000 and some 4,294,967,296.
enum MemorySize {
    /// The engine takes no less than 6 MiB.
    static let least = 6 << 20
    /// 1 PiB.
    static let most = 1 << 50

    private static let units: [(suffix: String, shift: Int)] = [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)]

    static func read(_ text: String) throws(InvalidValue) -> Int64 {
        func invalid(_ rule: String) -> InvalidValue { InvalidValue(kind: "size", text: text, rule: rule) }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        var shift = 0
        if !unit.isEmpty {
            let known = units.first { unit == $0.suffix || unit == $0.suffix + "B" }
            guard let known else {
                let letter = unit.first.map { $0.uppercased() } ?? ""
                let isKnown = !digits.isEmpty && "KMGT".contains(letter)
                throw invalid(
                    isKnown ? "write \(digits)\(letter)iB (a power of 1024)" : "a number with KiB, MiB, GiB or TiB"
                )
            }
            shift = known.shift
        }
        guard let number = Int(digits), number <= most >> shift else {
            throw invalid("a number with KiB, MiB, GiB or TiB, at most 1024TiB")
        }
        let bytes = number << shift
        guard bytes >= least else { throw invalid("at least 6MiB") }
        return Int64(bytes)
    }

    /// `bytes` in the largest unit that leaves no rest.
    static func text(_ bytes: Int64) -> String {
        for unit in units where bytes >= 1 << unit.shift && bytes & (1 << unit.shift - 1) == 0 {
            return "\(bytes >> unit.shift)\(unit.suffix)B"
        }
        return String(bytes)
    }
}

/// Numbers of processors, exact to a thousandth.
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
