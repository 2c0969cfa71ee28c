import FoundationEssentials
import ReconcilerTime

/// The engine's JSON.
enum EngineJSON {
    /// Decodes `bytes`, the answer to `path`.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        path: String
    ) throws(EngineError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .decoding(path: path, message: describe(error))
        }
    }

    /// The value as JSON with sorted keys: equal values give equal bytes.
    static func encode(_ value: some Encodable) throws(EngineError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw .invalidArgument("a request could not be written as JSON: \(describe(error))")
        }
    }

    /// Decodes a Base64 text.
    static func base64(_ text: String) -> [UInt8]? {
        Data(base64Encoded: text).map { Array($0) }
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return String(describing: error) }
        func at(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
            return keys.isEmpty ? context.debugDescription : "\(keys): \(context.debugDescription)"
        }
        return switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): at(context)
        case .keyNotFound(let key, let context): "no key '\(key.stringValue)': \(at(context))"
        @unknown default: String(describing: error)
        }
    }
}

extension KeyedDecodingContainer {
    /// The value, or `fallback` if the engine sent null or nothing.
    func decode<Value: Decodable>(_ key: Key, or fallback: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback
    }

    /// The time; nil if the engine sent nothing, an empty text, or the year 1, which means never.
    func decodeTime(_ key: Key) throws -> Timestamp? {
        guard let text = try decodeIfPresent(String.self, forKey: key), !text.isEmpty else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: self,
                debugDescription: "'\(text)' is not a time"
            )
        }
        return time.seconds == Timestamp.never ? nil : time
    }
}

extension Timestamp {
    /// The seconds of 0001-01-01T00:00:00Z, which means never.
    fileprivate static let never: Int64 = -62_135_596_800
}
