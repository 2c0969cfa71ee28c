import ReconcilerEngine

extension EngineState {
    /// Adds lines to what a container's process has written to its standard output, a millisecond apart.
    package mutating func write(_ lines: some Sequence<String>, to reference: String) throws {
        let id = try find(reference).id
        for line in lines {
            advance(milliseconds: 1)
            let frame = OutputFrame(.output, Array("\(line)\n".utf8))
            containers[id]?.logs.append(MemoryContainer.LogLine(frame: frame, time: clock))
        }
    }

    /// Adds lines that the engine read at one moment.
    package mutating func writeAtOnce(_ lines: some Sequence<String>, to reference: String) throws {
        let id = try find(reference).id
        advance(milliseconds: 1)
        for line in lines {
            let frame = OutputFrame(.output, Array("\(line)\n".utf8))
            containers[id]?.logs.append(MemoryContainer.LogLine(frame: frame, time: clock))
        }
    }
}
