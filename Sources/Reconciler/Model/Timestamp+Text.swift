package import ReconcilerTime

extension Timestamp {
    /// Reads exactly the text that a whole second has, as in manifests and the files of queues.
    ///
    /// - Throws: `InvalidValue` for every other form, and for a day that no calendar has.
    package init(_ text: String) throws(InvalidValue) {
        // A day that isn't in the calendar comes back as another one.
        guard text.utf8.count == 20, let moment = Timestamp(rfc3339: text), moment.description == text else {
            throw InvalidValue(
                kind: "time",
                text: text,
                rule: "RFC 3339 in UTC to the second, like 2026-11-24T03:00:00Z"
            )
        }
        self = moment
    }

    /// A moment between 2001 and 2002 that stands for a content: 25 bits of seconds and 29 of nanoseconds.
    package init(contentDigest digest: ContentDigest) {
        let bits = UInt64(digest.hex.prefix(16), radix: 16) ?? 0
        self.init(
            seconds: 978_307_200 + Int64(bits >> 39 & 0x1FF_FFFF),
            nanoseconds: Int64(bits & 0x1FFF_FFFF)
        )
    }
}
