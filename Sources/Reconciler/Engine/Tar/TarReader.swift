/// Reads a tar archive incrementally: ustar, PAX, GNU long names.
///
/// Never touches the disk. The archive may be hostile: the reader throws for a path that leaves the archive's root, for
/// an inconsistent header, for an extension that hides content, and for more entries than the limit.
package struct TarReader: Sendable {
    /// Limits on an archive.
    package struct Limits: Sendable, Hashable {
        /// The most entries.
        package var entries: Int
        /// The most bytes of one long name or PAX header.
        package var extensionBytes: Int

        /// Limits; by default generous for configuration and build contexts.
        package init(entries: Int = 200_000, extensionBytes: Int = 1 << 20) {
            self.entries = entries
            self.extensionBytes = extensionBytes
        }
    }

    /// A part of an archive.
    package enum Part: Sendable, Hashable {
        /// An entry begins.
        case entry(TarEntry)
        /// A piece of the last entry's content.
        case content([UInt8])
    }

    private enum Phase {
        case header
        case content(Int64, padding: Int)
        case `extension`(UInt8, Int, padding: Int)
        case padding(Int)
        case ended
    }

    private let limits: Limits
    private var phase = Phase.header
    private var pending: [UInt8] = []
    private var overrides = TarOverrides()
    private var zeroBlocks = 0
    private var entries = 0

    /// A reader at the start of an archive.
    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Reads the next bytes and returns the parts that they complete.
    package mutating func read(_ bytes: [UInt8]) throws(EngineError) -> [Part] {
        var parts: [Part] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            switch phase {
            case .ended:
                // What follows the end mark doesn't belong to the archive.
                return parts
            case .header:
                if collect(TarLayout.block, from: &rest) { try parseHeader(into: &parts) }
            case .content(let missing, let padding):
                let part = rest.prefix(Int(min(missing, Int64(rest.count))))
                rest = rest.dropFirst(part.count)
                parts.append(.content(Array(part)))
                let left = missing - Int64(part.count)
                phase = left > 0 ? .content(left, padding: padding) : .padding(padding)
            case .extension(let type, let size, let padding):
                if collect(size, from: &rest) {
                    try overrides.apply(type, pending)
                    pending = []
                    phase = .padding(padding)
                }
            case .padding(let missing):
                let part = rest.prefix(missing)
                rest = rest.dropFirst(part.count)
                phase = part.count < missing ? .padding(missing - part.count) : .header
            }
            if case .padding(0) = phase { phase = .header }
        }
        return parts
    }

    /// Call it at the end of the bytes; throws if they ended within an entry.
    package func finish() throws(EngineError) {
        switch phase {
        case .ended: return
        case .header where pending.isEmpty && overrides.isEmpty: return
        default: throw .archive("the archive ends in the middle of an entry")
        }
    }

    /// Collects bytes in `pending`; true once there are `count`.
    private mutating func collect(_ count: Int, from rest: inout ArraySlice<UInt8>) -> Bool {
        let part = rest.prefix(count - pending.count)
        pending.append(contentsOf: part)
        rest = rest.dropFirst(part.count)
        return pending.count == count
    }

    private mutating func parseHeader(into parts: inout [Part]) throws(EngineError) {
        let block = pending
        pending = []
        if block.allSatisfy({ $0 == 0 }) {
            zeroBlocks += 1
            guard overrides.isEmpty else { throw .archive("the archive ends after an extension header") }
            if zeroBlocks == 2 { phase = .ended }
            return
        }
        zeroBlocks = 0
        let header = try TarHeader(block)
        if header.isExtension {
            guard header.size <= Int64(limits.extensionBytes) else {
                throw .archive("an extension header of \(header.size) bytes is over the limit")
            }
            let padding = TarLayout.padding(header.size)
            if header.size > 0 { phase = .extension(header.type, Int(header.size), padding: padding) }
            return
        }
        entries += 1
        guard entries <= limits.entries else { throw .archive("more than \(limits.entries) entries") }
        let entry = try header.entry(overrides)
        overrides = TarOverrides()
        parts.append(.entry(entry))
        if entry.size > 0 {
            phase = .content(entry.size, padding: TarLayout.padding(entry.size))
        }
    }
}

extension EngineStream where Element == [UInt8] {
    /// All files of the tar archive in these bytes, with at most `limit` bytes of content together.
    package func tarFiles(upTo limit: Int) async throws(EngineError) -> [TarFile] {
        var reader = TarReader()
        var files: [TarFile] = []
        var total = 0
        var chunks = makeAsyncIterator()
        while let chunk = try await chunks.next() {
            for part in try reader.read(chunk) {
                switch part {
                case .entry(let entry):
                    files.append(TarFile(entry: entry, content: []))
                case .content(let bytes):
                    total += bytes.count
                    guard total <= limit else {
                        throw EngineError.limitExceeded("the archive holds more than \(limit) bytes")
                    }
                    files[files.count - 1].content += bytes
                }
            }
        }
        try reader.finish()
        return files
    }
}
