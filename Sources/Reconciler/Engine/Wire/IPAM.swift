/// How a network assigns addresses.
package struct IPAM: Codable, Sendable, Hashable {
    /// The address driver.
    package var driver: String
    /// The subnets.
    package var pools: [Pool]

    private enum CodingKeys: String, CodingKey {
        case driver = "Driver"
        case pools = "Config"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        driver: String = "default",
        pools: [Pool] = []
    ) {
        self.driver = driver
        self.pools = pools
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        driver = try values.decode(.driver, or: "default")
        pools = try values.decode(.pools, or: [])
    }

    /// One subnet.
    package struct Pool: Codable, Sendable, Hashable {
        /// The subnet, as CIDR.
        package var subnet: String?
        /// The part of the subnet from which the engine assigns addresses, as CIDR.
        package var range: String?
        /// The bridge's own address.
        package var gateway: String?

        private enum CodingKeys: String, CodingKey {
            case subnet = "Subnet"
            case range = "IPRange"
            case gateway = "Gateway"
        }

        /// A subnet.
        package init(subnet: String? = nil, range: String? = nil, gateway: String? = nil) {
            self.subnet = subnet
            self.range = range
            self.gateway = gateway
        }
    }
}
