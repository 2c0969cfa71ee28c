/// A JSON object on one line of ASCII, whose members are texts and whole numbers: a sidecar's line and a queue's file.
///
/// `JSONReader` reads it, and what is not flat is refused.
package enum FlatJSON {
    package enum Value: Sendable, Hashable {
        case text(String)
        case number(Int)

        fileprivate var node: JSONNode {
            switch self {
            case .text(let text): .text(text)
            case .number(let number): .integer(number)
            }
        }
    }

    /// The most members that an object may have.
    static let memberLimit = 16

    /// The members; nil when the bytes are anything but one such object, or name a member twice.
    ///
    /// Half of a surrogate pair is read as U+FFFD: a program that logs bytes that are no UTF-8 may write one.
    package static func read(_ bytes: some Sequence<UInt8>) -> [String: Value]? {
        let bytes = Array(bytes)
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 || $0 == 0x0D }),
            case .object(let members) = try? JSONReader.read(bytes, replacesHalves: true), members.count <= memberLimit
        else { return nil }
        var values: [String: Value] = [:]
        for member in members {
            switch member.value {
            case .text(let text): values[member.name] = .text(text)
            case .number(let digits):
                guard (1...18).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
                    let number = Int(digits)
                else { return nil }
                values[member.name] = .number(number)
            case .null, .boolean, .list, .object: return nil
            }
        }
        return values
    }

    /// The object's text, in ASCII, without a newline.
    package static func line(_ members: [(String, Value)]) -> String {
        JSONNode.object(members.map { JSONNode.Member(name: $0, value: $1.node) }).asciiLine
    }
}
