/// A request's head as a server parses it.
struct ArrivedRequest {
    let method: String
    let target: String
    /// In order, with names in lower case.
    let headers: [(name: String, value: String)]

    init(_ head: String) {
        // As a Character, CR LF would be a single one.
        let lines = head.unicodeScalars.split(separator: "\n").map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        method = words.first.map(String.init) ?? ""
        target = words.count > 1 ? String(words[1]) : ""
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return line.isEmpty ? nil : (line.lowercased(), "") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return (line[..<colon].lowercased(), String(value))
        }
    }

    /// The request's only host, as written but in lower case; nil if there is not exactly one.
    var authority: String? {
        let hosts = headers.filter { $0.name == "host" }
        return hosts.count == 1 ? hosts[0].value.lowercased() : nil
    }

    /// The same host without a port.
    var host: String? { authority.map { HostPort($0)?.host ?? $0 } }

    func has(_ name: String) -> Bool { headers.contains { $0.name == name } }
}
