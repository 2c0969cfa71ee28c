/// Demultiplexes the engine's output stream: each frame has one byte of channel, three zero bytes, four of length.
struct FrameDecoder: StreamDecoder {
    /// Whether the bytes are framed; a terminal's output is not.
    let isFramed: Bool
    private var header: [UInt8] = []
    private var channel = OutputFrame.Channel.output
    private var missing = 0

    init(isFramed: Bool) {
        self.isFramed = isFramed
    }

    mutating func decode(_ bytes: [UInt8], into frames: inout [OutputFrame]) throws(EngineError) {
        guard isFramed else {
            if !bytes.isEmpty { frames.append(OutputFrame(.output, bytes)) }
            return
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            if missing > 0 {
                // Pass parts on at once: the engine chooses a frame's length, which may be 4 GiB.
                let part = rest.prefix(missing)
                rest = rest.dropFirst(part.count)
                missing -= part.count
                frames.append(OutputFrame(channel, Array(part)))
                continue
            }
            let part = rest.prefix(8 - header.count)
            rest = rest.dropFirst(part.count)
            header.append(contentsOf: part)
            if header.count == 8 { try openFrame() }
        }
    }

    mutating func finish(into frames: inout [OutputFrame]) throws(EngineError) {
        guard header.isEmpty, missing == 0 else {
            throw .transport("the output ended in the middle of a frame")
        }
    }

    private mutating func openFrame() throws(EngineError) {
        guard let channel = OutputFrame.Channel(rawValue: header[0]), header[1...3].allSatisfy({ $0 == 0 }) else {
            throw .decoding(path: "a stream of output", message: "not a frame's header: \(header)")
        }
        self.channel = channel
        missing = header[4...7].reduce(0) { $0 << 8 | Int($1) }
        header.removeAll(keepingCapacity: true)
    }
}
