import ReconcilerModel
import Testing

@Suite("load confirmations")
struct LoadedGenerationTests {
    private static let good = String(repeating: "a", count: 64)
    private static let bad = String(repeating: "b", count: 64)

    @Test("a link tells what is in force, and what was refused and why")
    func reads() throws {
        let loaded = try #require(LoadedGeneration(linkTarget: "/\(Self.good)/ok"))
        #expect(loaded.inForce?.hex == Self.good)
        #expect(loaded.refusal == nil)
        let refused = try #require(LoadedGeneration(linkTarget: "/\(Self.good)/bad-file/\(Self.bad)"))
        #expect(refused.inForce?.hex == Self.good)
        #expect(refused.refusal?.reason == "bad-file")
        #expect(refused.refusal?.generation.hex == Self.bad)
        let nothing = try #require(LoadedGeneration(linkTarget: "/none/bad-file/\(Self.bad)"))
        #expect(nothing.inForce == nil)
        #expect(nothing.refusal?.generation.hex == Self.bad)
    }

    @Test(
        "anything else is no confirmation",
        arguments: [
            "", "/", "ok", "/\(good)", "\(good)/ok", "/\(good)/ok/", "/\(good)//ok", "//\(good)/ok", "/none/ok",
            "/\(good)/OK", "/\(good)/ok\n", "/\(good)/ok/\(bad)", "/\(good)/bad file/\(bad)", "/\(good)/../\(bad)",
            "/\(good)/bad-file/none", "/\(good)/bad-file/\(bad)/ok", "/\(good.uppercased())/ok", "/../\(good)/ok",
            "/\(good.dropLast())/ok", "/etc/passwd", "/\(good)\u{0}/ok", "/\(good)/\u{1B}[31m/\(bad)",
        ]
    )
    func refuses(_ target: String) {
        #expect(LoadedGeneration(linkTarget: target) == nil)
    }
}
