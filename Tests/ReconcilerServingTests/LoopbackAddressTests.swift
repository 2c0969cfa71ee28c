import ReconcilerServing
import Testing

@Suite struct LoopbackAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:9090", LoopbackAddress(host: .v4, port: 9090), "127.0.0.1:9090"),
            ("localhost:0", LoopbackAddress(host: .v4, port: 0), "127.0.0.1:0"),
            ("[::1]:65535", LoopbackAddress(host: .v6, port: 65_535), "[::1]:65535"),
        ]
    )
    func anAddressOnLoopbackIsUnderstood(text: String, address: LoopbackAddress, description: String) throws {
        #expect(try LoopbackAddress(text) == address)
        #expect(address.description == description)
    }

    @Test(
        arguments: [
            // All interfaces, in every way to say so.
            "0.0.0.0:9090", ":9090", "[::]:9090", "*:9090",
            // Another machine's way in.
            "10.0.0.1:9090", "192.168.1.2:9090", "example.com:9090", "[fe80::1]:9090",
            // Names that only look like loopback.
            "127.0.0.1.example.com:80", "localhost.example.com:80", "127.1:80", "0x7f000001:80", "2130706433:80",
            // No port.
            "127.0.0.1", "9090", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:+80", "127.0.0.1:65536",
            "::1:9090", "", " 127.0.0.1:80", "127.0.0.1:80 ",
        ]
    )
    func everyOtherAddressIsRefused(text: String) {
        #expect(throws: LoopbackAddress.Invalid.self) { _ = try LoopbackAddress(text) }
    }
}
