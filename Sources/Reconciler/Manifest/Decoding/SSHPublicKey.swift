/// A public key in OpenSSH's form: type, Base64, optional comment.
enum SSHPublicKey {
    static let types: Set<String> = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Why `text` is not a public key; nil if it is one.
    static func problem(_ text: String) -> String? {
        guard !text.contains(where: \.isNewline) else { return "a key is one line" }
        let words = text.split(separator: " ")
        guard words.count >= 2 else { return "\(quoted(text)) is not a public key" }
        guard types.contains(String(words[0])) else { return "\(quoted(String(words[0]))) is not a type of key" }
        guard let blob = Base64.decode(Array(words[1].utf8)), blob.count > 4 else { return "the key is damaged" }
        let length = blob[..<4].reduce(0) { $0 << 8 | Int($1) }
        let type = String(decoding: blob.dropFirst(4).prefix(length), as: UTF8.self)
        guard type == words[0], blob.count > 4 + length + 16 else { return "the key is damaged" }
        return nil
    }
}
