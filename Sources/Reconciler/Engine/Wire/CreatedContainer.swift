/// The answer to `POST /containers/create`.
package struct CreatedContainer: Codable, Sendable, Hashable {
    /// The new container's id.
    package var id: String
    /// The engine's warnings, such as a limit that it can't enforce.
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case warnings = "Warnings"
    }

    /// A created container.
    package init(id: String, warnings: [String] = []) {
        self.id = id
        self.warnings = warnings
    }

    /// Decodes the engine's JSON; null warnings are none.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        warnings = try values.decode(.warnings, or: [])
    }
}
