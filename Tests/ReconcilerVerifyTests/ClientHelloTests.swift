import ReconcilerVerify
import Testing

@Suite struct ClientHelloTests {
    private let random = [UInt8](repeating: 7, count: 96)

    @Test("The record says its own length, and the message in it too")
    func lengths() {
        let record = ClientHello(names: ["10.0.0.1"], alpn: ["h2"]).record(random: random)
        #expect(record[0..<3] == [0x16, 0x03, 0x01])
        #expect(Int(record[3]) << 8 | Int(record[4]) == record.count - 5)
        #expect(record[5] == 1)
        #expect(Int(record[6]) << 16 | Int(record[7]) << 8 | Int(record[8]) == record.count - 9)
    }

    @Test("Names stand in it as they are, in one extension")
    func names() {
        let record = ClientHello(names: ["a.test", "10.0.0.1"]).record(random: random)
        let list: [UInt8] = [0, 0, 6] + Array("a.test".utf8) + [0, 0, 8] + Array("10.0.0.1".utf8)
        let whole = [0, 0, 0, UInt8(list.count + 2), 0, UInt8(list.count)] + list
        #expect(record.firstRange(of: whole) != nil)
        #expect(ClientHello(names: []).record(random: random).firstRange(of: list) == nil)
    }
}
