/// The Dockerfile of an agent's image: as it is built, and as it was written.
package struct PresentDockerfile: Sendable, Hashable {
    /// What is built.
    package let built: String
    /// As it was written: the same, but that it may have names where `built` has ids of images.
    package let text: String
    /// The ids by the names that `text` has for them.
    private let names: [String: ImageID]

    /// - Parameter proposed: a text that `built` was made of; one that it can't have been made of is passed over.
    package init(built: String, proposed: String? = nil) {
        self.built = built
        let names = proposed.flatMap { Self.names(in: $0, for: built) } ?? Self.names(in: built, for: built) ?? [:]
        self.names = names
        if let proposed, Self.areSame(Self.sealed(proposed, names), built) {
            text = proposed
        } else {
            text = built
        }
    }

    /// Whether `other` would be built to the same, each name standing for the image that it stood for then.
    package func isBuilt(from other: String) -> Bool {
        Self.areSame(other, text) || Self.areSame(Self.sealed(other, names), built)
    }

    /// Byte by byte: to Swift's `==` other texts are the same, too.
    private static func areSame(_ one: String?, _ other: String) -> Bool { one?.utf8.elementsEqual(other.utf8) == true }

    private static func sealed(_ text: String, _ names: [String: ImageID]) -> String? {
        names.isEmpty ? nil : try? RestrictedDockerfile(text, bases: names).text
    }

    /// What stands for ids in `written`; nil when its stages are not those of `built`.
    private static func names(in written: String, for built: String) -> [String: ImageID]? {
        let (own, others) = (RestrictedDockerfile.origins(of: written), RestrictedDockerfile.origins(of: built))
        guard own.count == others.count else { return nil }
        var names: [String: ImageID] = [:]
        for (name, origin) in zip(own, others) {
            if let id = try? ImageID(origin) { names[name] = id }
        }
        return names
    }
}
