enum ContainerName {
    /// The name without the slash that the engine prepends.
    static func withoutSlash(_ name: String) -> String {
        name.hasPrefix("/") ? String(name.dropFirst()) : name
    }
}
