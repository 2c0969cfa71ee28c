/// Seconds and nanoseconds since 1970.
package struct FileTime: Sendable, Hashable {
    package var seconds: Int64
    package var nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// A moment between 2001 and 2002 that stands for a content: 25 bits of seconds and 29 of nanoseconds.
    package init(contentDigest digest: ContentDigest) {
        let bits = UInt64(digest.hex.prefix(16), radix: 16) ?? 0
        seconds = 978_307_200 + Int64(bits >> 39 & 0x1FF_FFFF)
        nanoseconds = Int64(bits & 0x1FFF_FFFF)
    }
}
