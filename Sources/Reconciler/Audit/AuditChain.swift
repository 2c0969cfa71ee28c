import ReconcilerModel

/// Checks that a log is what was written: pure, over the lines of all files in their order.
///
/// The chain is walked from its end back to its beginning, each line naming the one before it by its hash. So a
/// rewritten line with a correct hash is found too: the line after it names another hash. Only a checkpoint shows a
/// change of the last line, or of all lines from some point on.
struct AuditChain {
    /// A line that is what its own hash says.
    private struct Node {
        var sequence: Int
        var previous: String
        var hash: String
        var place: Int
        var torn: AuditDetails.Torn?
    }

    /// Where each line is; its index is its place.
    private var places: [(file: Int, line: Int)] = []
    private var files: [String] = []
    private var nodes: [Node] = []
    /// Lines that are no whole line, by place.
    private var broken: [Int: (bytes: [UInt8], isWhole: Bool)] = [:]
    private var checkpoints: [AuditCheckpoint] = []
    private var endsInPart = false

    /// Hashes by their line's number, for checkpoints; filled by `finish`.
    private(set) var hashes: [Int: String] = [:]

    mutating func begin(file: String) { files.append(file) }

    mutating func take(_ line: AuditReader.Line) {
        let place = places.count
        places.append((files.count - 1, line.number))
        endsInPart = !line.isTerminated
        guard let read = AuditLine(line.bytes) else {
            broken[place] = (Array(line.bytes), AuditLine.isWhole(line.bytes))
            return
        }
        nodes.append(
            Node(
                sequence: read.sequence,
                previous: read.previous,
                hash: read.hash,
                place: place,
                torn: read.details.torn
            )
        )
        if let checkpoint = read.details.checkpoint { checkpoints.append(checkpoint) }
    }

    mutating func finish() -> AuditVerification {
        var result = AuditVerification()
        result.files = files
        result.checkpoints = checkpoints
        let chain = walk()
        result.lines = chain.count
        result.last = chain.last.map { AuditLine.Link(sequence: $0.sequence, hash: $0.hash) }
        for node in chain { hashes[node.sequence] = node.hash }
        setAside(in: chain, &result)
        let members = Set(chain.map(\.place))
        var strangers = nodes.filter { !members.contains($0.place) }.map { (place: $0.place, sequence: $0.sequence) }
        strangers += broken.keys.map { (place: $0, sequence: 0) }
        strangers.sort { $0.place < $1.place }
        findGaps(in: chain, &strangers, &result)
        for stranger in strangers {
            result.problems.append(problem(.inserted, stranger.place, nil, "the line was not written here by bottle"))
        }
        findMoved(in: chain, &result)
        result.problems.sort { ($0.file, $0.line) < ($1.file, $1.line) }
        return result
    }

    /// The lines of the chain in its order, found from the last one back.
    private func walk() -> [Node] {
        // Of a line that is there twice, the one that stands behind the line it names.
        var byHash: [String: Int] = [:]
        for (index, node) in nodes.enumerated()
        where byHash[node.hash] == nil || index > 0 && nodes[index - 1].hash == node.previous {
            byHash[node.hash] = index
        }
        let falling = byHash.values.sorted { (nodes[$0].sequence, $0) > (nodes[$1].sequence, $1) }
        func before(_ node: Node) -> Int? {
            byHash[node.previous].flatMap { nodes[$0].sequence == node.sequence - 1 ? $0 : nil }
        }
        // The one with the greatest number, or the last line: whichever follows on something.
        let greatest = falling.first.map { nodes[$0].sequence }
        let ends = falling.prefix { nodes[$0].sequence == greatest } + [byHash.values.max()].compactMap { $0 }
        var next = ends.first { before(nodes[$0]) != nil } ?? ends.last
        var candidate = 0
        var chain: [Node] = []
        while let index = next {
            let node = nodes[index]
            chain.append(node)
            next = before(node)
            guard next == nil else { continue }
            // Behind the gap: one with the number just below would be the line that was put in the place of another.
            while candidate < falling.count, nodes[falling[candidate]].sequence >= node.sequence - 1 { candidate += 1 }
            next = candidate < falling.count ? falling[candidate] : nil
        }
        return chain.reversed()
    }

    /// Takes what dead writers left, and a line of the chain says so, out of what is broken.
    private mutating func setAside(in chain: [Node], _ result: inout AuditVerification) {
        for node in chain {
            guard let torn = node.torn else { continue }
            var places: [Int] = []
            while let part = broken[node.place - places.count - 1], !part.isWhole {
                places.insert(node.place - places.count - 1, at: 0)
            }
            let bytes = Array(places.compactMap { broken[$0]?.bytes }.joined(separator: [UInt8(ascii: "\n")]))
            guard !places.isEmpty, bytes.count == torn.bytes, ContentDigest(of: bytes).hex == torn.sha256 else {
                continue
            }
            for place in places {
                broken[place] = nil
                let (file, line) = self.places[place]
                result.torn.append(.init(file: files[file], line: line, notedBy: node.sequence))
            }
        }
        let end = places.count - 1
        if endsInPart, let part = broken[end], !part.isWhole {
            broken[end] = nil
            result.torn.append(.init(file: files[places[end].file], line: places[end].line, notedBy: nil))
        }
    }

    /// Numbers that the chain lacks: changed where another line stands in their place, else removed.
    private func findGaps(
        in chain: [Node],
        _ strangers: inout [(place: Int, sequence: Int)],
        _ result: inout AuditVerification
    ) {
        var before = (sequence: 0, place: -1)
        // A last line that was changed has nothing behind it that misses it.
        var ends = chain.map { (sequence: $0.sequence, place: $0.place) }
        ends.append((before.sequence + 1, Int.max))
        if let last = chain.last { ends[chain.count].sequence = last.sequence + 1 }
        for (index, end) in ends.enumerated() {
            var missing = Self.numbers(after: before.sequence, before: end.sequence)
            let isBehindAll = index == chain.count
            let isLong = end.sequence - before.sequence > missing.count + 1
            defer { before = end }
            guard !missing.isEmpty || isBehindAll else { continue }
            for (offset, stranger) in strangers.enumerated().reversed()
            where stranger.place > before.place && stranger.place < end.place {
                if isBehindAll {
                    guard stranger.sequence == 0 else { continue }
                    missing = [before.sequence + 1]
                }
                guard let number = missing.last(where: { $0 == stranger.sequence }) ?? missing.last else { continue }
                guard stranger.sequence == 0 || stranger.sequence == number else { continue }
                missing.removeAll { $0 == number }
                strangers.remove(at: offset)
                result.problems.append(
                    problem(.changed, stranger.place, number, "line \(number) is not what was written")
                )
            }
            if let next = missing.first, let last = missing.last, !isBehindAll {
                let first = isLong ? before.sequence + 1 : next
                let (file, line) = place(before.place)
                let what = first == last ? "line \(first) is" : "lines \(first) to \(last) are"
                result.problems.append(
                    .init(problem: .removed, file: file, line: line, sequence: first, message: "\(what) not there")
                )
            }
        }
    }

    /// The numbers between two; of very many only the last, since other lines can't have taken all their places.
    private static func numbers(after low: Int, before high: Int) -> [Int] {
        guard low < high else { return [] }
        return Array(max(low + 1, high - 10_000)..<high)
    }

    /// Lines of the chain that stand behind one with a greater number, the fewest that explain the order.
    private func findMoved(in chain: [Node], _ result: inout AuditVerification) {
        let inPlace = Set(Self.longestRise(chain.map(\.place)))
        for node in chain where !inPlace.contains(node.place) {
            result.problems.append(
                problem(.reordered, node.place, node.sequence, "line \(node.sequence) was written in another place")
            )
        }
    }

    /// The longest rising part of different numbers.
    private static func longestRise(_ numbers: [Int]) -> [Int] {
        // The usual case, without the work.
        guard zip(numbers, numbers.dropFirst()).contains(where: { $0 > $1 }) else { return numbers }
        var ends: [Int] = []
        var before = [Int?](repeating: nil, count: numbers.count)
        for (index, number) in numbers.enumerated() {
            var low = 0
            var high = ends.count
            while low < high {
                let middle = (low + high) / 2
                if numbers[ends[middle]] < number { low = middle + 1 } else { high = middle }
            }
            before[index] = low > 0 ? ends[low - 1] : nil
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var rise: [Int] = []
        var next = ends.last
        while let index = next {
            rise.append(numbers[index])
            next = before[index]
        }
        return rise.reversed()
    }

    private func place(_ place: Int) -> (file: String, line: Int) {
        guard place >= 0 else { return (files.first ?? "audit.jsonl", 0) }
        return (files[places[place].file], places[place].line)
    }

    private func problem(
        _ kind: AuditVerification.Problem.Kind,
        _ place: Int,
        _ sequence: Int?,
        _ message: String
    ) -> AuditVerification.Problem {
        let (file, line) = self.place(place)
        return .init(problem: kind, file: file, line: line, sequence: sequence, message: message)
    }
}
