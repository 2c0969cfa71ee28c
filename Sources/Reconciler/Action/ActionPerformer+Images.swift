import ReconcilerEngine
import ReconcilerModel

extension ActionPerformer {
    func performImage(_ action: Action, _ role: Role) async throws {
        guard let image = desired.images.first(where: { $0.role == role }) else { throw unplannable(action) }
        let maker = ImageMaker(engine: engine) { output(action, $0) }
        switch action.verb {
        case .pull: try await maker.pull(image)
        case .build:
            guard let context = contexts[role] else {
                throw BottleError(
                    .contextUnreadable,
                    "there is no build context for this image",
                    at: image.reference.text
                )
            }
            guard image.isRestricted else { return try await maker.build(image, from: context) }
            guard let restrictedBuild else { throw unplannable(action) }
            _ = try await restrictedBuild.build(image, from: context) { output(action, $0) }
        default: throw unplannable(action)
        }
    }
}
