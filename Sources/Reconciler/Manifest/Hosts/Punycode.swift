/// Encodes Unicode labels in ASCII: RFC 3492, without the `xn--` prefix.
enum Punycode {
    private static let base = 36
    private static let smallestThreshold = 1
    private static let largestThreshold = 26

    /// Encodes `scalars`; nil if there are more than a label can contain.
    static func encode(_ scalars: [Unicode.Scalar]) -> String? {
        guard scalars.count <= 63 else { return nil }
        var output = scalars.filter(\.isASCII).map { UInt8($0.value) }
        let basic = output.count
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var bias = Bias()
        var handled = basic
        var next = 128
        var delta = 0
        while handled < scalars.count {
            guard let least = scalars.lazy.map({ Int($0.value) }).filter({ $0 >= next }).min() else { return nil }
            delta += (least - next) * (handled + 1)
            next = least
            for scalar in scalars {
                if scalar.value < next { delta += 1 }
                guard scalar.value == next else { continue }
                output += digits(of: delta, bias: bias.value)
                bias.adapt(delta, points: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Decodes `text`; nil if it is not Punycode.
    static func decode(_ text: String) -> [Unicode.Scalar]? {
        let bytes = Array(text.utf8)
        guard bytes.count <= 63, bytes.allSatisfy({ $0 < 128 }) else { return nil }
        var scalars: [Unicode.Scalar] = []
        var rest = bytes[...]
        if let hyphen = bytes.lastIndex(of: UInt8(ascii: "-")) {
            scalars = bytes[..<hyphen].map { Unicode.Scalar($0) }
            rest = bytes[(hyphen + 1)...]
        }
        var bias = Bias()
        var point = 128
        var position = 0
        while !rest.isEmpty {
            let before = position
            guard let delta = number(from: &rest, bias: bias.value) else { return nil }
            position += delta
            bias.adapt(position - before, points: scalars.count + 1, isFirst: before == 0)
            point += position / (scalars.count + 1)
            position %= scalars.count + 1
            guard let value = UInt32(exactly: point), let scalar = Unicode.Scalar(value) else { return nil }
            scalars.insert(scalar, at: position)
            position += 1
        }
        return scalars
    }

    /// One generalised variable-length integer.
    private static func number(from rest: inout ArraySlice<UInt8>, bias: Int) -> Int? {
        var result = 0
        var weight = 1
        var step = base
        while true {
            guard let byte = rest.popFirst() else { return nil }
            let digit: Int
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = Int(byte - UInt8(ascii: "a"))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = Int(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte - UInt8(ascii: "0")) + 26
            default: return nil
            }
            result += digit * weight
            guard result < 1 << 40 else { return nil }
            let threshold = threshold(step, bias)
            if digit < threshold { return result }
            weight *= base - threshold
            guard weight < 1 << 40 else { return nil }
            step += base
        }
    }

    private static func digits(of number: Int, bias: Int) -> [UInt8] {
        var output: [UInt8] = []
        var rest = number
        var step = base
        while true {
            let threshold = threshold(step, bias)
            guard rest >= threshold else { break }
            output.append(letter(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            step += base
        }
        output.append(letter(rest))
        return output
    }

    private static func threshold(_ step: Int, _ bias: Int) -> Int {
        min(max(step - bias, smallestThreshold), largestThreshold)
    }

    private static func letter(_ digit: Int) -> UInt8 {
        digit < 26 ? UInt8(ascii: "a") + UInt8(digit) : UInt8(ascii: "0") + UInt8(digit - 26)
    }

    private struct Bias {
        var value = 72

        mutating func adapt(_ delta: Int, points: Int, isFirst: Bool) {
            var delta = isFirst ? delta / 700 : delta / 2
            delta += delta / points
            var step = 0
            while delta > (base - smallestThreshold) * largestThreshold / 2 {
                delta /= base - smallestThreshold
                step += base
            }
            value = step + (base - smallestThreshold + 1) * delta / (delta + 38)
        }
    }
}
