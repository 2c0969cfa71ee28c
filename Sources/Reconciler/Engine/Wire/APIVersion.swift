/// A version of the Engine API.
package struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number before the dot.
    package let major: Int
    /// The number after the dot.
    package let minor: Int

    /// The oldest version that this client works with: Docker 20.10.
    package static let minimum = APIVersion(major: 1, minor: 41)
    /// The newest version that this client was written for.
    package static let maximum = APIVersion(major: 1, minor: 45)

    /// A version from its parts.
    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses a text such as `1.41`; nil if it is not a version.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]), major >= 0, minor >= 0 else {
            return nil
        }
        self.init(major: major, minor: minor)
    }

    /// The version to use with an engine whose newest is `offered`.
    static func negotiated(offered: String) throws(EngineError) -> APIVersion {
        guard let version = APIVersion(offered), version >= minimum else {
            let engine = offered.isEmpty ? "of an unknown version" : offered
            throw .unsupportedVersion(engine: engine, minimum: minimum.description)
        }
        return min(version, maximum)
    }

    package static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The form in a path: `1.41`.
    package var description: String { "\(major).\(minor)" }
}
