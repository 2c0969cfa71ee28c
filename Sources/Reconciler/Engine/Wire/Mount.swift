/// A mount to create in a container.
package struct Mount: Codable, Sendable, Hashable {
    /// The kind of mount.
    package var type: Kind
    /// The volume's name or the host's path; absent for a memory file system.
    package var source: String?
    /// The path in the container.
    package var target: String
    /// Whether the container may only read it.
    package var isReadOnly: Bool?
    /// For a bind.
    package var bindOptions: BindOptions?
    /// For a volume.
    package var volumeOptions: VolumeOptions?
    /// For a memory file system.
    package var tmpfsOptions: TmpfsOptions?

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case source = "Source"
        case target = "Target"
        case isReadOnly = "ReadOnly"
        case bindOptions = "BindOptions"
        case volumeOptions = "VolumeOptions"
        case tmpfsOptions = "TmpfsOptions"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        type: Kind,
        source: String? = nil,
        target: String,
        isReadOnly: Bool? = nil,
        bindOptions: BindOptions? = nil,
        volumeOptions: VolumeOptions? = nil,
        tmpfsOptions: TmpfsOptions? = nil
    ) {
        self.type = type
        self.source = source
        self.target = target
        self.isReadOnly = isReadOnly
        self.bindOptions = bindOptions
        self.volumeOptions = volumeOptions
        self.tmpfsOptions = tmpfsOptions
    }

    /// The kinds of mount.
    package enum Kind: String, Codable, Sendable, Hashable { case bind, volume, tmpfs }
}

extension Mount {
    /// Options of a bind.
    package struct BindOptions: Codable, Sendable, Hashable {
        /// Such as `rprivate`.
        package var propagation: String?

        private enum CodingKeys: String, CodingKey {
            case propagation = "Propagation"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
        package init(
            propagation: String? = nil
        ) {
            self.propagation = propagation
        }
    }

    /// Options of a volume.
    package struct VolumeOptions: Codable, Sendable, Hashable {
        /// Whether an empty volume stays empty instead of getting the image's files.
        package var noCopy: Bool?
        /// Labels for a volume that this mount creates.
        package var labels: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case noCopy = "NoCopy"
            case labels = "Labels"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
        package init(
            noCopy: Bool? = nil,
            labels: [String: String]? = nil
        ) {
            self.noCopy = noCopy
            self.labels = labels
        }
    }

    /// Options of a memory file system.
    package struct TmpfsOptions: Codable, Sendable, Hashable {
        /// Its size in bytes.
        package var size: Int64?
        /// Its permission bits.
        package var mode: Int?

        private enum CodingKeys: String, CodingKey {
            case size = "SizeBytes"
            case mode = "Mode"
        }

        /// A value with the given parts; omitted ones are as if the engine had not sent them.
        package init(
            size: Int64? = nil,
            mode: Int? = nil
        ) {
            self.size = size
            self.mode = mode
        }
    }

}
