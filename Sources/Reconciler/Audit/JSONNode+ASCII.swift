import ReconcilerPlatform

extension JSONNode {
    /// The same JSON, with every character beyond ASCII written as `\uXXXX`.
    static func ascii(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 >= 0x7F }) else { return json }
        return String(decoding: json, as: UTF8.self).unicodeScalars.flatMap { scalar in
            scalar.value < 0x7F ? [UInt8(scalar.value)] : Array(escape(scalar).utf8)
        }
    }
}
