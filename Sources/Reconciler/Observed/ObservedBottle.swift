/// What the engine shows of one bottle, and of other objects that hold its names.
package struct ObservedBottle: Sendable, Hashable {
    package var containers: [ObservedContainer]
    package var networks: [ObservedNetwork]
    package var volumes: [ObservedVolume]
    /// Images by the reference they were looked up by.
    package var images: [ImageReference: ObservedImage]
    /// The containers on any network that are not this bottle's.
    package var foreignContainers: [ObservedForeignContainer]

    package init(
        containers: [ObservedContainer] = [],
        networks: [ObservedNetwork] = [],
        volumes: [ObservedVolume] = [],
        images: [ImageReference: ObservedImage] = [:],
        foreignContainers: [ObservedForeignContainer] = []
    ) {
        self.containers = containers
        self.networks = networks
        self.volumes = volumes
        self.images = images
        self.foreignContainers = foreignContainers
    }

    package func network(id: NetworkID) -> ObservedNetwork? { networks.first { $0.id == id } }
}

/// A container that is not the bottle's, and the ids of the networks it is on.
package struct ObservedForeignContainer: Sendable, Hashable {
    package var name: String
    package var networks: Set<NetworkID>

    package init(name: String, networks: Set<NetworkID>) {
        self.name = name
        self.networks = networks
    }
}

package struct ObservedImage: Sendable, Hashable {
    package var id: String
    package var labels: [String: String]

    package init(id: String, labels: [String: String] = [:]) {
        self.id = id
        self.labels = labels
    }

    /// Whether it was built from what `image` asks for.
    ///
    /// The caller compares the name.
    package func isMade(as image: DesiredImage) -> Bool {
        image.context == nil || labels[DesiredImage.contextLabel] == image.context?.hex
    }
}

package struct ObservedVolume: Sendable, Hashable {
    package var name: String
    package var labels: [String: String]

    package init(name: String, labels: [String: String] = [:]) {
        self.name = name
        self.labels = labels
    }
}

package struct ObservedNetwork: Sendable, Hashable {
    package var id: NetworkID
    package var name: String
    package var labels: [String: String]
    package var isInternal: Bool
    package var subnets: [IPv4Block]
    package var options: [String: String]

    package init(
        id: NetworkID,
        name: String,
        labels: [String: String] = [:],
        isInternal: Bool = false,
        subnets: [IPv4Block] = [],
        options: [String: String] = [:]
    ) {
        self.id = id
        self.name = name
        self.labels = labels
        self.isInternal = isInternal
        self.subnets = subnets
        self.options = options
    }
}
