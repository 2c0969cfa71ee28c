package import ReconcilerModel
import ReconcilerPlatform

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The stored facts of images.
///
/// They are read once, since an image never changes under its id.
package struct ImageFactsStore: Sendable {
    let folder: String

    package init(folder: String) { self.folder = folder }

    func path(of image: String) -> String {
        let name = image.split(separator: ":").last.map(String.init) ?? image
        return "\(folder)/\(name.filter { $0.isLetter || $0.isNumber }).json"
    }

    /// The facts of the image; nil if it was never inspected, or they can't be read.
    package func load(_ image: String) -> ImageFacts? {
        guard let bytes = try? DurableFile.read(path(of: image), limit: 16 << 20, followLinks: false),
            let facts = try? JSONDecoder().decode(ImageFacts.self, from: Data(bytes)), facts.id == image
        else { return nil }
        return facts
    }

    package func save(_ facts: ImageFacts) throws {
        try DurableFile.write(Array(try JSONEncoder().encode(facts)), to: path(of: facts.id))
    }
}
