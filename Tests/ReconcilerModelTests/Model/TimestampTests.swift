import ReconcilerModel
import ReconcilerTime
import Testing

@Suite("A timestamp")
struct TimestampTests {
    @Test(
        "is read and written in one form",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-24T03:04:05Z", 1_795_489_445), ("2000-02-29T23:59:59Z", 951_868_799),
            ("1969-12-31T23:59:59Z", -1), ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ]
    )
    func forms(_ text: String, _ seconds: Int64) throws {
        #expect(try Timestamp(text).seconds == seconds)
        #expect(Timestamp(seconds: seconds).description == text)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "2026-11-24", "2026-11-24T03:04:05", "2026-11-24T03:04:05+00:00", "2026-11-24T03:04:05.0Z",
            "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-1-01T00:00:000Z",
            "٢٠٢٦-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
        ]
    )
    func others(_ text: String) { #expect(throws: InvalidValue.self) { try Timestamp(text) } }
}
