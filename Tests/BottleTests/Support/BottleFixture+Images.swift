import ReconcilerEngine
import Testing

extension BottleFixture {
    /// Builds an image with a name of its own, or under `name`; it goes with the fixture.
    nonisolated func image(_ dockerfile: String, as name: String? = nil) async throws -> String {
        let image = name ?? "\(self.name()):latest"
        let line = ["docker", "build", "-q", "-t", image, "-"]
        let built = try await run(
            line,
            environment: environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 },
            input: dockerfile
        )
        try #require(built.status == 0, "\(built)")
        await onTearDown { try await self.engine.removeImage(image, force: true) }
        return image
    }
}
