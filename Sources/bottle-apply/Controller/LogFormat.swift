import ArgumentParser

/// How a command that stays writes what it does to standard error.
enum LogFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// For people.
    case text
    /// An object a line.
    case json
}
