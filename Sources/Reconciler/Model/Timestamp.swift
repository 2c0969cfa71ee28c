/// A moment to the second, in UTC, written as RFC 3339: `2026-11-24T03:00:00Z`.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds since 1970.
    package let seconds: Int64

    /// The first and last moments whose text has a year of four digits.
    package static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// Seconds since 1970; what lies outside of the years 1 to 9999 becomes the nearest moment inside.
    package init(seconds: Int64) {
        self.seconds = min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
    }

    /// Reads exactly the form that `description` writes.
    ///
    /// - Throws: `InvalidValue` for every other form, and for a day that no calendar has.
    package init(_ text: String) throws(InvalidValue) {
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[start..<(start + count)] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        let marks: [(Int, UInt8)] = [(4, 45), (7, 45), (10, 84), (13, 58), (16, 58), (19, 90)]
        guard bytes.count == 20, marks.allSatisfy({ bytes[$0.0] == $0.1 }),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), hour < 24, minute < 60, second < 60
        else { throw Self.invalid(text) }
        let moment = Timestamp(
            seconds: Self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        )
        // A day that isn't in the calendar comes back as another one.
        guard (1...12).contains(month), moment.description == text else { throw Self.invalid(text) }
        self = moment
    }

    package var description: String {
        let day = Self.floored(seconds, 86_400)
        let rest = seconds - day * 86_400
        let date = Self.date(days: day)
        func padded(_ value: Int64, _ count: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(count - digits.count, 0)) + digits
        }
        return "\(padded(date.0, 4))-\(padded(date.1, 2))-\(padded(date.2, 2))"
            + "T\(padded(rest / 3_600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))Z"
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

    private static func invalid(_ text: String) -> InvalidValue {
        InvalidValue(kind: "time", text: text, rule: "RFC 3339 in UTC to the second, like 2026-11-24T03:00:00Z")
    }

    private static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }

    /// Days since 1970-01-01 in the Gregorian calendar, whose year begins in March for this.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floored(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = floored(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}
