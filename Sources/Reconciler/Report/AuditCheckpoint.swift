/// An operator's signature over the log up to one line: it shows when that line was cut off or rewritten.
///
/// It says only what it needs to: which log, which line, its hash, and when.
package struct AuditCheckpoint: Sendable, Hashable, Codable {
    package var installation: String
    /// The line that was the last one.
    package var sequence: Int
    package var hash: String
    /// RFC 3339, in UTC.
    package var time: String
    /// As `ssh-keygen -Y sign` writes it.
    package var signature: String

    package init(installation: String, link: AuditLine.Link, time: String, signature: String = "") {
        self.installation = installation
        sequence = link.sequence
        hash = link.hash
        self.time = time
        self.signature = signature
    }

    /// What is signed.
    package var payload: [UInt8] {
        Array(
            """
            bottle audit checkpoint v1
            installation \(installation)
            sequence \(sequence)
            hash \(hash)
            time \(time)

            """.utf8
        )
    }
}
