#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why a file could not be used, in the system's words.
struct FileProblem: Error, Hashable, CustomStringConvertible {
    var path: String
    var reason: String

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Takes the words from the system's error number.
    init(errno code: Int32, _ path: String) {
        self.path = path
        let words = unsafe strerror(code)
        reason = unsafe words.map { unsafe String(cString: $0) } ?? "error \(code)"
    }

    var description: String { "\(path): \(reason)" }
}
