/// Operations on host paths as text.
enum HostPath {
    /// Makes `path` absolute: `~` and `~/…` from `home`, relative paths from `folder`; removes `.` and `..`.
    ///
    /// - Returns: nil for `~user`, and for a relative path without a folder.
    static func absolute(_ path: String, folder: String?, home: String) -> String? {
        if path == "~" { return normal(home) }
        if path.hasPrefix("~/") { return normal(home + path.dropFirst(1)) }
        if path.hasPrefix("~") { return nil }
        if path.hasPrefix("/") { return normal(path) }
        return folder.map { normal($0 + "/" + path) }
    }

    /// The absolute path without empty segments, `.` and `..`.
    static func normal(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": segments = Array(segments.dropLast())
            default: segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/")
    }

    /// Whether `path` is `folder` or lies below it; both absolute and normal.
    static func lies(_ path: String, within folder: String) -> Bool {
        path == folder || folder == "/" || path.hasPrefix(folder + "/")
    }

    /// The folder that holds `path`.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
