import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime

/// What the files of a queue share: one flat JSON object of known members, with a version.
package enum QueueFile {
    /// A file of a queue that is not what it should be.
    package struct Unsuitable: Error, Sendable, Hashable, CustomStringConvertible {
        /// In our own words, never the file's.
        package let reason: String

        init(_ reason: String) { self.reason = reason }

        package var description: String { reason }
    }

    /// The members of a file, each taken once.
    struct Fields {
        private var members: [String: FlatJSON.Value]

        init(_ bytes: [UInt8], version: Int) throws(Unsuitable) {
            let line = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
            guard let members = FlatJSON.read(line) else {
                throw Unsuitable("it is not one JSON object of texts and numbers, on one line, in ASCII")
            }
            self.members = members
            guard case .number(let found) = self.members.removeValue(forKey: "version") else {
                throw Unsuitable("it has no version")
            }
            guard found == version else {
                throw Unsuitable("it has version \(found), this program knows \(version)")
            }
        }

        mutating func text(_ name: String) throws(Unsuitable) -> String {
            guard let text = try optionalText(name) else { throw Unsuitable("'\(name)' is missing") }
            return text
        }

        mutating func optionalText(_ name: String) throws(Unsuitable) -> String? {
            switch members.removeValue(forKey: name) {
            case .text(let text): return text
            case .number: throw Unsuitable("'\(name)' is not a text")
            case nil: return nil
            }
        }

        mutating func time(_ name: String) throws(Unsuitable) -> Timestamp {
            guard let time = try? Timestamp(text(name)) else { throw Unsuitable("'\(name)' is no time") }
            return time
        }

        mutating func id() throws(Unsuitable) -> ProposalID {
            guard let id = try? ProposalID(text("id")) else { throw Unsuitable("'id' is no proposal's") }
            return id
        }

        /// - Throws: when a member is left that nobody asked for.
        func finish() throws(Unsuitable) {
            guard members.isEmpty else { throw Unsuitable("it has members that are not known") }
        }
    }
}
