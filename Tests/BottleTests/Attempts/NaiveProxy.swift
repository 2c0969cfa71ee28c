import Reconciler
import ReconcilerEngine
import Testing

/// An egress-proxy as one writes it first: the driver must be able to tell that it is no wall.
enum NaiveProxy {
    /// Builds its image from that of the real one; it goes with the fixture.
    static func build(in fixture: BottleFixture) async throws -> String {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let image = "\(fixture.name()):latest"
        var base = "bottle/egress-proxy"
        if let named = AttackField.imagesUnderTest["egress-proxy"] {
            base = named
        } else {
            let built = try await fixture.bottle("images", "build", "egress-proxy")
            try #require(built.status == 0, "\(built)")
        }
        let built = try await fixture.run(
            ["docker", "build", "-q", "-t", image, "--build-arg", "BASE=\(base)", "\(here)/NaiveProxy"],
            environment: fixture.environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 }
        )
        try #require(built.status == 0, "\(built)")
        await fixture.onTearDown { try await fixture.engine.removeImage(image, force: true) }
        return image
    }
}
