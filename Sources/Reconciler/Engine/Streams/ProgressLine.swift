/// One progress message of a build or pull.
package struct ProgressLine: Codable, Sendable, Hashable {
    /// Output of the build, which may begin and end in the middle of a line.
    package var text: String?
    /// What happens to `item`, such as `Downloading`.
    package var status: String?
    /// The layer or tag that `status` concerns.
    package var item: String?
    /// Why the build or pull failed, in the engine's words; the last message.
    package var error: String?
    /// The exit code of the build step that failed; nil if the engine failed, or if nothing did.
    package var code: Int?
    /// The image that was built.
    package var imageID: String?

    /// A message.
    package init(
        text: String? = nil,
        status: String? = nil,
        item: String? = nil,
        error: String? = nil,
        code: Int? = nil,
        imageID: String? = nil
    ) {
        self.text = text
        self.status = status
        self.item = item
        self.error = error
        self.code = code
        self.imageID = imageID
    }

    private enum CodingKeys: String, CodingKey {
        case text = "stream"
        case status
        case item = "id"
        case error
        case errorDetail
        case aux
    }

    private struct ErrorDetail: Codable {
        var code: Int?
        var message: String?
    }

    private struct Aux: Codable {
        var id: String?

        enum CodingKeys: String, CodingKey { case id = "ID" }
    }

    /// Decodes the engine's JSON.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        text = try values.decodeIfPresent(String.self, forKey: .text)
        status = try values.decodeIfPresent(String.self, forKey: .status)
        item = try values.decodeIfPresent(String.self, forKey: .item)
        let detail = try values.decodeIfPresent(ErrorDetail.self, forKey: .errorDetail)
        error = try values.decodeIfPresent(String.self, forKey: .error) ?? detail?.message
        code = detail?.code
        imageID = try? values.decodeIfPresent(Aux.self, forKey: .aux)?.id
    }

    /// Encodes the engine's JSON.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(text, forKey: .text)
        try values.encodeIfPresent(status, forKey: .status)
        try values.encodeIfPresent(item, forKey: .item)
        try values.encodeIfPresent(error, forKey: .error)
        try values.encodeIfPresent(error.map { ErrorDetail(code: code, message: $0) }, forKey: .errorDetail)
        try values.encodeIfPresent(imageID.map { Aux(id: $0) }, forKey: .aux)
    }
}
