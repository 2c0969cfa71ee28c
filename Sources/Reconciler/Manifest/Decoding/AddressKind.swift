import ReconcilerModel

/// Addresses that a bottle never reaches, whatever its manifest says.
struct AddressKind {
    var block: IPv4Block
    var name: String

    private init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: Int, _ name: String) {
        block = IPv4Block(base: IPv4Address(bits: a << 24 | b << 16 | c << 8 | d), prefix: prefix)
        self.name = name
    }

    static let forbidden = [
        AddressKind(127, 0, 0, 0, 8, "loopback: the sidecar itself"),
        AddressKind(169, 254, 0, 0, 16, "link-local, where clouds serve their metadata"),
        AddressKind(0, 0, 0, 0, 8, "'this host'"),
        AddressKind(100, 100, 100, 200, 32, "a cloud's metadata service"),
        AddressKind(192, 0, 0, 192, 32, "a cloud's metadata service"),
        AddressKind(168, 63, 129, 16, 32, "a cloud's control service"),
        AddressKind(224, 0, 0, 0, 4, "multicast"),
        AddressKind(240, 0, 0, 0, 4, "reserved or broadcast"),
    ]
}
