import ReconcilerModel
import ReconcilerState
import Testing

@Suite("A check of the audit log")
struct AuditTamperingTests {
    static let count = 50

    @Test("finds nothing wrong in what was written")
    func whole() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let found = try fixture.check()
        #expect(found.problems == [])
        #expect(found.lines == Self.count)
        #expect(found.last?.sequence == Self.count)
        #expect(try fixture.found(in: []) == [])
    }

    @Test("names every line of which any part was changed, the last one too")
    func changed() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        for number in 1...Self.count {
            let length = lines[number - 1].count
            for place in stride(from: 0, to: length, by: length / 9) + [length - 80, length - 40, length - 1] {
                var other = lines
                other[number - 1][place] ^= 1
                #expect(try fixture.found(in: other) == ["changed audit.jsonl:\(number) #\(number)"], "byte \(place)")
            }
        }
    }

    @Test("names every line but the last that was rewritten with a right hash")
    func writtenAnew() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        for number in 1..<Self.count {
            var other = lines
            let text = String(decoding: lines[number - 1], as: UTF8.self)
            other[number - 1] = rehashed(Array(text.replacing("reason", with: "rumour").utf8))
            #expect(AuditLine(other[number - 1]) != nil)
            #expect(try fixture.found(in: other) == ["changed audit.jsonl:\(number) #\(number)"])
        }
    }

    @Test("says which line was removed, but the last")
    func removed() throws {
        let fixture = try AuditFixture(lines: Self.count)
        for number in 1..<Self.count {
            var lines = try fixture.lines()
            lines.remove(at: number - 1)
            #expect(try fixture.found(in: lines) == ["removed audit.jsonl:\(number - 1) #\(number)"])
        }
    }

    @Test("says which part was cut out of the middle")
    func cutOut() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        for first in stride(from: 2, to: 40, by: 3) {
            let last = first + 1 + first % 7
            var other = Array(lines[..<(first - 1)])
            other.append(Array(lines[first - 1][..<50]) + Array(lines[last - 1][50...]))
            other += lines[last...]
            let expected = [
                "changed audit.jsonl:\(first) #\(last)", "removed audit.jsonl:\(first - 1) #\(first)",
            ]
            #expect(try fixture.found(in: other).sorted() == expected)
        }
    }

    @Test("names a line of every two that changed places")
    func swapped() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        for first in 1..<Self.count {
            for second in Set([first + 1, first + 2, first + 9, Self.count])
            where second > first && second <= Self.count {
                var other = lines
                other.swapAt(first - 1, second - 1)
                let found = try fixture.found(in: other)
                let moved = ["reordered audit.jsonl:\(first) #\(second)", "reordered audit.jsonl:\(second) #\(first)"]
                switch second - first {
                case 1: #expect(found.count == 1 && moved.contains(found[0]), "\(first) and \(second): \(found)")
                // With one between them there are three ways to say it, each as short.
                case 2: #expect(found.count == 2 && !Set(found).isDisjoint(with: moved), "\(first): \(found)")
                default: #expect(Set(found) == Set(moved) && found.count == 2, "\(first) and \(second): \(found)")
                }
            }
        }
    }

    @Test("names every line that was put in: a copy, or one that is right in itself")
    func inserted() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let stranger = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        let strange = try stranger.lines()
        for place in 0...Self.count {
            var other = lines
            other.insert(strange[min(place, Self.count - 1)], at: place)
            #expect(try fixture.found(in: other) == ["inserted audit.jsonl:\(place + 1)"], "a stranger at \(place)")
            for copied in [0, 24, 49] {
                var other = lines
                other.insert(lines[copied], at: place)
                let found = try fixture.found(in: other)
                let either = ["inserted audit.jsonl:\(place + 1)", "inserted audit.jsonl:\(copied + 2)"]
                #expect(found.count == 1 && either.contains(found[0]), "a copy of \(copied) at \(place): \(found)")
            }
        }
    }

    @Test("finds lines that were joined, split, or parted by an empty one")
    func newlines() throws {
        let fixture = try AuditFixture(lines: Self.count)
        let lines = try fixture.lines()
        for number in 2..<Self.count {
            var joined = lines
            joined[number - 1] += joined.remove(at: number)
            #expect(!(try fixture.found(in: joined)).isEmpty)
            var split = lines
            split.insert(Array(split[number - 1].dropFirst(60)), at: number)
            split[number - 1] = Array(split[number - 1].prefix(60))
            #expect(!(try fixture.found(in: split)).isEmpty)
            var parted = lines
            parted.insert([], at: number)
            #expect(try fixture.found(in: parted) == ["inserted audit.jsonl:\(number + 1)"])
        }
    }

    @Test("survives numbers that no log has")
    func absurdNumbers() throws {
        let fixture = try AuditFixture(lines: 5)
        for number in ["0", "-1", "9223372036854775807", "9007199254740992", "1e300"] {
            var lines = try fixture.lines()
            let text = String(decoding: lines[2], as: UTF8.self)
            lines[2] = rehashed(Array(text.replacing("\"sequence\":3", with: "\"sequence\":\(number)").utf8))
            #expect(!(try fixture.found(in: lines)).isEmpty)
        }
    }
}
