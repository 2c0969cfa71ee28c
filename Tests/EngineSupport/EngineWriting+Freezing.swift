import ReconcilerEngine

extension EngineWriting {
    /// Pauses a container.
    ///
    /// A kernel that can't freeze its processes just then (seen on busy machines) is asked again.
    package func freeze(_ container: String) async throws {
        for _ in 0..<20 {
            do {
                return try await pause(container)
            } catch {
                guard case .http(let failure) = error, failure.message.contains("unable to freeze") else { throw error }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        try await pause(container)
    }
}
