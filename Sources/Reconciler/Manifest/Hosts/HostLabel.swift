/// Converts one label of a host name, in any script, to ASCII.
///
/// IDNA's tables change with every Unicode version, and the programs behind us carry different versions. So we accept
/// only letters that need no mapping except to lower case, in scripts written left to right. For anything else the
/// author must write the `xn--` form.
enum HostLabel {
    static func ascii(_ label: String) throws(HostWriting.Refusal) -> String {
        if label.utf8.allSatisfy({ $0 < 128 }) {
            let lower = label.lowercased()
            if lower.hasPrefix("xn--") { try checkEncoded(lower) }
            return lower
        }
        var scalars: [Unicode.Scalar] = []
        var scripts: Set<Script> = []
        for scalar in label.unicodeScalars {
            let mapped = Array(scalar.properties.lowercaseMapping.unicodeScalars)
            // A letter such as the Kelvin sign becomes another letter's lower case: that is a mapping, not just a case
            // change.
            guard let lower = mapped.first, mapped.count == 1, let script = Script(lower),
                lower == scalar || Array(lower.properties.uppercaseMapping.unicodeScalars) == [scalar]
            else {
                throw refusal("U+\(hexadecimal(scalar.value)) in \(quoted(label)) has no one meaning in a host name")
            }
            if script != .neutral { scripts.insert(script) }
            scalars.append(lower)
        }
        guard scripts.count == 1 else {
            throw refusal("\(quoted(label)) mixes scripts, so that letters that look alike can't be told apart")
        }
        guard let encoded = Punycode.encode(scalars), encoded.utf8.count <= 59 else {
            throw HostWriting.Refusal("\(quoted(label)) is longer than a label of 63 characters")
        }
        return "xn--" + encoded
    }

    private static func refusal(_ message: String) -> HostWriting.Refusal {
        HostWriting.Refusal(message, "write the label in its xn-- form")
    }

    /// Checks that an `xn--` label is the encoding of what it decodes to.
    private static func checkEncoded(_ label: String) throws(HostWriting.Refusal) {
        let encoded = String(label.dropFirst(4))
        guard let scalars = Punycode.decode(encoded), scalars.contains(where: { !$0.isASCII }),
            Punycode.encode(scalars) == encoded, scalars.allSatisfy({ $0.isASCII || isNameCharacter($0) })
        else {
            throw HostWriting.Refusal("\(quoted(label)) is not an encoded label", "write the name in Unicode or ASCII")
        }
    }

    /// Whether an encoded label may contain `scalar`.
    ///
    /// Registries give no name with anything but lower-case letters, marks and digits.
    private static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: true
        case .format: scalar.value == 0x200C || scalar.value == 0x200D
        case .otherPunctuation: [0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB].contains(scalar.value)
        default: false
        }
    }

    /// The scripts whose letters we accept; the ranges leave out what NFC, case folding or IDNA would map.
    private enum Script: Hashable {
        /// Digits and the hyphen, which belong to every script.
        case neutral
        case latin, greek, cyrillic, hangul
        /// Japanese and Chinese share Han, so kana and Han count as one.
        case eastAsian

        init?(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x30...0x39, 0x2D: self = .neutral
            case 0x61...0x7A, 0xE0...0xF6, 0xF8...0xFF, 0x100...0x131, 0x134...0x13E, 0x141...0x148, 0x14A...0x17E:
                self = .latin
            case 0x3AC...0x3C1, 0x3C3...0x3CE: self = .greek
            case 0x430...0x45F: self = .cyrillic
            case 0x3041...0x3096, 0x30A1...0x30FA, 0x30FC, 0x4E00...0x9FFF: self = .eastAsian
            case 0xAC00...0xD7A3: self = .hangul
            default: return nil
            }
        }
    }
}
