/// Words in braces that stand for values which differ from run to run.
package struct AttemptPlaceholders: Sendable, Hashable {
    /// All words that an attempt may use.
    package static let names = [
        "mark", "listed", "open", "websocket", "wild", "wildapex", "port", "unlisted", "unlistedserver", "server",
        "proxy", "firewall", "gateway", "serverint", "serverhex", "serverv6",
    ]

    package var values: [String: String]

    package init(_ values: [String: String]) { self.values = values }

    /// The ways to write the servers' address that some program may understand.
    package static func spellings(ofServer address: String) -> [String: String] {
        let parts = address.split(separator: ".").compactMap { UInt32($0) }
        let number = parts.reduce(0) { $0 << 8 | $1 }
        return [
            "server": address, "serverint": String(number), "serverhex": "0x" + String(number, radix: 16),
            "serverv6": "::ffff:\(address)",
        ]
    }

    /// The words in braces in `text`, known or not.
    package static func words(in text: String) -> [String] {
        pieces(of: text).compactMap { if case .word(let word) = $0 { word } else { nil } }
    }

    /// `text` with each known word in braces replaced by its value.
    package func filled(_ text: String) -> String {
        Self.pieces(of: text).map { piece in
            switch piece {
            case .literal(let text): String(text)
            case .word(let word): values[word] ?? "{\(word)}"
            }
        }.joined()
    }

    private enum Piece {
        case literal(Substring)
        case word(String)
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.unicodeScalars.firstIndex(of: "{") {
            let inner = rest.unicodeScalars.index(after: open)
            let word = rest.unicodeScalars[inner...].prefix { "a"..."z" ~= $0 || "0"..."9" ~= $0 }
            guard let first = word.first, "a"..."z" ~= first, word.endIndex < rest.endIndex,
                rest.unicodeScalars[word.endIndex] == "}"
            else {
                pieces.append(.literal(rest[..<inner]))
                rest = rest[inner...]
                continue
            }
            pieces.append(.literal(rest[..<open]))
            pieces.append(.word(String(word)))
            rest = rest[rest.unicodeScalars.index(after: word.endIndex)...]
        }
        return pieces + [.literal(rest)]
    }
}

extension Attempt {
    /// The attempt with all its placeholders filled in.
    package func filled(_ placeholders: AttemptPlaceholders) -> Attempt {
        var filled = self
        filled.steps = steps.map { $0.filled(placeholders) }
        filled.expected.arrives = expected.arrives.map { arrival in
            var arrival = arrival
            arrival.host = placeholders.filled(arrival.host)
            arrival.path = arrival.path.map(placeholders.filled)
            return arrival
        }
        return filled
    }
}

extension AttemptStep {
    func filled(_ placeholders: AttemptPlaceholders) -> AttemptStep {
        switch self {
        case .connect(let target): .connect(placeholders.filled(target))
        case .send(let payload): .send(payload.filled(placeholders))
        case .tls(let offer): .tls(offer.filled(placeholders))
        case .hello(let hello): .hello(ClientHello(names: hello.names.map(placeholders.filled), alpn: hello.alpn))
        case .tunnel(let tunnel):
            .tunnel(
                Tunnel(
                    host: placeholders.filled(tunnel.host),
                    port: tunnel.port,
                    tls: tunnel.tls.filled(placeholders)
                )
            )
        case .get(let path): .get(placeholders.filled(path))
        case .udp(let target, let payload): .udp(to: placeholders.filled(target), payload.filled(placeholders))
        case .resolve(let name): .resolve(placeholders.filled(name))
        case .receive, .pause, .shutdown: self
        }
    }
}

extension AttemptPayload {
    fileprivate func filled(_ placeholders: AttemptPlaceholders) -> AttemptPayload {
        if case .text(let text, let times) = self { .text(placeholders.filled(text), times: times) } else { self }
    }
}

extension TLSOffer {
    fileprivate func filled(_ placeholders: AttemptPlaceholders) -> TLSOffer {
        TLSOffer(sni: sni.map(placeholders.filled), alpn: alpn, max: max)
    }
}
