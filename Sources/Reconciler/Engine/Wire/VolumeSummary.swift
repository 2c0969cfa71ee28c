package import ReconcilerTime

/// A volume.
package struct VolumeSummary: Codable, Sendable, Hashable {
    /// Its name, which identifies it.
    package var name: String
    /// The driver.
    package var driver: String
    /// The path on the engine's host.
    package var mountpoint: String
    /// Its labels.
    package var labels: [String: String]
    /// The driver's options.
    package var options: [String: String]
    /// When it was created.
    package var createdAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case driver = "Driver"
        case mountpoint = "Mountpoint"
        case labels = "Labels"
        case options = "Options"
        case createdAt = "CreatedAt"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        name: String,
        driver: String = "local",
        mountpoint: String = "",
        labels: [String: String] = [:],
        options: [String: String] = [:],
        createdAt: Timestamp? = nil
    ) {
        self.name = name
        self.driver = driver
        self.mountpoint = mountpoint
        self.labels = labels
        self.options = options
        self.createdAt = createdAt
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        driver = try values.decode(.driver, or: "local")
        mountpoint = try values.decode(.mountpoint, or: "")
        labels = try values.decode(.labels, or: [:])
        options = try values.decode(.options, or: [:])
        createdAt = try values.decodeTime(.createdAt)
    }
}
