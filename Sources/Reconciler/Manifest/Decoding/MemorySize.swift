import ReconcilerModel

/// Memory sizes as people write them.
///
/// A whole number of bytes, or a whole number with `KiB`, `MiB`, `GiB` or `TiB` (also `Ki`, `Mi`, …), always powers of
/// 1024. `4G` and `4GB` are refused: some programs read 4,000,000,000 and some 4,294,967,296.
enum MemorySize {
    /// The engine accepts no less than 6 MiB.
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

    /// `bytes` in the largest unit that divides it exactly.
    static func text(_ bytes: Int64) -> String {
        for unit in units where bytes >= 1 << unit.shift && bytes & (1 << unit.shift - 1) == 0 {
            return "\(bytes >> unit.shift)\(unit.suffix)B"
        }
        return String(bytes)
    }
}
