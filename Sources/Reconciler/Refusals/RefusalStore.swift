package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerState

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Keeps each bottle's refusals in a file of its own, of bounded size, beyond the life of the containers that told them.
///
/// One writer a state folder: the controller. Readers need no lock. It may be killed at any instant: a batch is in the
/// file with the position up to which it was read, or neither is.
package actor RefusalStore: RefusalSink {
    /// The size at which a file is compacted.
    package static let fileLimit = 1 << 20

    private let state: StateFolder
    private let limit: Int
    private var open: [Identity: File] = [:]

    /// What is known of a file that is in use.
    private struct File {
        var length: Int
        var positions: [String: LogPosition]
        var counts: [RefusalRule: Int] = [:]

        init(_ stream: RefusalStream) {
            length = stream.length
            positions = Dictionary(stream.positions.map { ($0.container, $0.position) }) { $1 }
            add(stream.refusals)
        }

        mutating func add(_ refusals: [RefusedRequest]) {
            for refusal in refusals {
                let rule = RefusalRule(sidecar: refusal.sidecar, rule: refusal.rule)
                counts[rule] = RefusedRequest.sum(counts[rule] ?? 0, refusal.count)
            }
        }
    }

    package init(state: StateFolder, limit: Int = RefusalStore.fileLimit) {
        self.state = state
        self.limit = limit
    }

    /// A bottle's refusals as they are kept; nothing where there are none.
    ///
    /// - Throws: `BottleError` `state-unreadable`.
    package static func load(_ bottle: Identity, in state: StateFolder) throws -> RefusalStream {
        let path = state.refusals(of: bottle)
        do {
            return RefusalStream(try DurableFile.read(path, limit: 16 * fileLimit, followLinks: false) ?? [])
        } catch {
            throw BottleError(
                .stateUnreadable,
                "the bottle's refusals can't be read",
                at: path,
                remedy: "mend the file's permissions, or move it away: it is made anew from the sidecars' logs",
                cause: "\(error)"
            )
        }
    }

    /// The bottles of which something is kept.
    package static func bottles(in state: StateFolder) -> [Identity] {
        let names = (try? POSIX.names(in: state.refusals)) ?? []
        return names.filter { $0.hasSuffix(".jsonl") }.compactMap { try? Identity(String($0.dropLast(6))) }
    }

    package func positions(of bottle: Identity) throws -> [String: LogPosition] { try file(of: bottle).positions }

    /// How many refusals are on record of each bottle that is looked after, by sidecar and rule.
    ///
    /// A number never falls while the bottle is there: less room takes detail away, not counts.
    package var countsByRule: [Identity: [RefusalRule: Int]] { open.mapValues(\.counts) }

    /// Appends a batch to its bottle's file.
    ///
    /// - Throws: `BottleError` `state-unwritable` or `state-unreadable`; then nothing of it is kept.
    package func take(_ batch: RefusalBatch) throws {
        // A bottle that was deleted leaves no file behind.
        let record = JSONStore<BottleRecord>(folder: state.records, noun: "record").path(of: batch.bottle)
        guard try POSIX.status(record, followLinks: false) != nil else { return }
        var file = try file(of: batch.bottle)
        let path = state.refusals(of: batch.bottle)
        open[batch.bottle] = nil
        do {
            let bytes = RefusalStream.bytes(of: batch)
            let descriptor = try POSIX.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
            // What a killed writer began, or a full disk cut, never counted.
            guard ftruncate(descriptor.number, off_t(file.length)) == 0 else {
                throw SystemError("cut", path, errno)
            }
            try descriptor.write(bytes, to: path)
            file.length += bytes.count
            file.positions[batch.container] = batch.position
            file.add(batch.refusals)
            if file.length > limit { file = try compact(path) }
        } catch {
            throw BottleError(
                .stateUnwritable,
                "a bottle's refusals can't be kept",
                at: path,
                remedy: "make room or mend the permissions; what the sidecars' logs still hold is kept then",
                cause: "\(error)"
            )
        }
        open[batch.bottle] = file
    }

    private func file(of bottle: Identity) throws -> File {
        // It may have been removed, with its bottle or by hand.
        if let known = open[bottle], exists(bottle) { return known }
        let found = File(try Self.load(bottle, in: state))
        open[bottle] = found
        return found
    }

    private func exists(_ bottle: Identity) -> Bool {
        (try? POSIX.status(state.refusals(of: bottle), followLinks: false)) != nil
    }

    private func compact(_ path: String) throws -> File {
        let stream = RefusalStream(try DurableFile.read(path, limit: 16 * Self.fileLimit, followLinks: false) ?? [])
        // The largest line is below 2048 bytes, one without detail below 1024: half of the room is free again.
        let bytes = stream.compacted(keeping: limit / 4096, hosts: limit / 8192)
        try DurableFile.write(bytes, to: path)
        return File(RefusalStream(bytes))
    }
}
