package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTime

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The host's side of one bottle's queue: `in/` is the sidecar's, and hostile; `out/` is ours alone.
///
/// ```
/// queue/<bottle>/in/<id>.json       a proposal; the sidecar removes it some time after its answer was heard
/// queue/<bottle>/out/<id>.json      what became of it
/// queue/<bottle>/out/current.json   what is in force
/// ```
///
/// Files are replaced whole and on the disk before a call returns. One writer of `out/` a bottle: the holder of its lock.
package struct ProposalQueue: Sendable {
    package let bottle: Identity
    /// The bottle's folder, with `in` and `out`.
    package let folder: String

    package var inFolder: String { "\(folder)/in" }
    package var outFolder: String { "\(folder)/out" }

    /// How many files of `in/` are read at most; the sidecar never leaves that many.
    package static let readLimit = 64
    /// How many names of `in/` are looked at.
    package static let nameLimit = 4096
    /// How many answers there are at most: beyond that, new proposals wait until old answers are swept away.
    package static let answerLimit = 512
    /// How long an answer stays after its proposal is gone.
    package static let keptFor: Int64 = 24 * 60 * 60

    package init(_ bottle: Identity, folder: String) {
        self.bottle = bottle
        self.folder = folder
    }

    /// Makes the folders where they are missing.
    package func prepare() throws {
        try explained {
            for path in [folder, inFolder, outFolder] { try POSIX.makeFolder(path) }
        }
    }

    // MARK: - Reading

    /// What `in/` holds.
    package struct Listing: Sendable, Hashable {
        /// By id.
        package var proposals: [Proposal] = []
        /// What was passed over, the first few; a name in printable ASCII, and why.
        package var ignored: [Ignored] = []
        /// How many were passed over; more when there are more names than are looked at.
        package var ignoredCount = 0
        /// Whether every name was looked at.
        package var isComplete = true
    }

    package struct Ignored: Sendable, Hashable {
        package var name: String
        package var reason: String
    }

    /// Reads the proposals.
    ///
    /// Whatever lies in `in/`: it takes bounded time and room, follows nothing and waits for nothing.
    /// - Throws: `BottleError` when the folder can't be read.
    package func listing() throws -> Listing {
        var listing = Listing()
        try explained {
            guard let folder = try OpenFolder(inFolder) else { return }
            let (names, isComplete) = try folder.names(limit: Self.nameLimit)
            listing.isComplete = isComplete
            var ids: [ProposalID] = []
            for name in names.sorted() {
                if let id = Self.id(ofFile: name) {
                    ids.append(id)
                } else if !Self.isBeingWritten(name) {
                    listing.ignore(name, "its name is none of a proposal")
                }
            }
            for (index, id) in ids.enumerated() {
                guard index < Self.readLimit else {
                    listing.ignore("\(id).json", "there are more than \(Self.readLimit) proposals")
                    continue
                }
                read(id, in: folder, &listing)
            }
        }
        return listing
    }

    /// One proposal; nil when it is not there or not one.
    package func proposal(_ id: ProposalID) throws -> Proposal? {
        var listing = Listing()
        try explained {
            guard let folder = try OpenFolder(inFolder) else { return }
            read(id, in: folder, &listing)
        }
        return listing.proposals.first
    }

    private func read(_ id: ProposalID, in folder: OpenFolder, _ listing: inout Listing) {
        let name = Self.file(of: id)
        switch folder.read(name, limit: Proposal.fileLimit) {
        case .missing: return
        case .unsuitable(let reason): listing.ignore(name, reason)
        case .bytes(let bytes):
            do {
                let proposal = try Proposal(reading: bytes)
                guard proposal.id == id, proposal.bottle == bottle else {
                    return listing.ignore(name, "it is not the proposal of its name")
                }
                listing.proposals.append(proposal)
            } catch {
                listing.ignore(name, error.reason)
            }
        }
    }

    /// What became of the proposals, as far as it was written.
    ///
    /// - Throws: `BottleError` for a file of ours that can't be read: never taken for none.
    package func answers() throws -> [ProposalID: ProposalAnswer] {
        var answers: [ProposalID: ProposalAnswer] = [:]
        try explained {
            for name in try POSIX.names(in: outFolder) ?? [] {
                guard let id = Self.id(ofFile: name) else { continue }
                answers[id] = try readAnswer(to: id)
            }
        }
        return answers
    }

    /// What became of one; nil: nothing yet.
    package func answer(to id: ProposalID) throws -> ProposalAnswer? {
        try explained { try readAnswer(to: id) }
    }

    private func readAnswer(to id: ProposalID) throws -> ProposalAnswer? {
        let path = "\(outFolder)/\(Self.file(of: id))"
        let bytes = try DurableFile.read(path, limit: ProposalAnswer.fileLimit, followLinks: false)
        return try bytes.map(ProposalAnswer.init(reading:))
    }

    // MARK: - Writing

    /// Says what became of a proposal; durable when this returns.
    package func tell(_ answer: ProposalAnswer) throws {
        try explained { try DurableFile.write(answer.bytes, to: "\(outFolder)/\(Self.file(of: answer.id))") }
    }

    /// Says what is in force, where that is not said already.
    ///
    /// - Returns: whether something was written.
    @discardableResult
    package func publish(_ state: SupervisedState) throws -> Bool {
        try explained {
            let path = "\(outFolder)/\(Self.stateFile)"
            let bytes = try state.bytes()
            let known = try? DurableFile.read(path, limit: SupervisedState.fileLimit, followLinks: false)
            guard known != bytes else { return false }
            try DurableFile.write(bytes, to: path)
            return true
        }
    }

    /// Says what was refused of late, beside what was said before to be in force; nothing before that was said.
    package func publish(refusals: [SupervisedState.Refusal]) throws {
        let bytes = try explained {
            try DurableFile.read("\(outFolder)/\(Self.stateFile)", limit: SupervisedState.fileLimit, followLinks: false)
        }
        guard let bytes, var state = try? SupervisedState(reading: bytes) else { return }
        state.refusals = refusals.suffix(SupervisedState.refusalLimit)
        try publish(state)
    }

    /// Removes answers that are a day old and whose proposals are gone, so that the folder stays small.
    ///
    /// However much else lies in `in/`, each answer costs one look.
    package func sweep(at moment: Timestamp) throws {
        let old = try answers().filter { $0.value.time.seconds + Self.keptFor <= moment.seconds }
        try explained {
            for id in old.keys.sorted() {
                let file = Self.file(of: id)
                guard try POSIX.status("\(inFolder)/\(file)", followLinks: false) == nil else { continue }
                try DurableFile.remove("\(outFolder)/\(file)")
            }
        }
    }

    // MARK: - Names

    static let stateFile = "current.json"

    static func file(of id: ProposalID) -> String { "\(id.text).json" }

    static func id(ofFile name: String) -> ProposalID? {
        guard name.utf8.count == 37, name.hasSuffix(".json") else { return nil }
        return try? ProposalID(String(name.dropLast(5)))
    }

    /// Whether a durable write is going on, or was cut.
    static func isBeingWritten(_ name: String) -> Bool {
        name.hasPrefix(".") && name.hasSuffix(".tmp") && name.utf8.count < 128
    }

    private func explained<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as BottleError {
            throw error
        } catch {
            throw BottleError(
                .queueUnusable,
                "the bottle's queue of proposals can't be used",
                at: folder,
                remedy: "mend the folder's permissions, or make room; what waits in it is not lost",
                cause: "\(error)"
            )
        }
    }
}

extension ProposalQueue.Listing {
    fileprivate mutating func ignore(_ name: String, _ reason: String) {
        ignoredCount += 1
        guard ignored.count < 16 else { return }
        ignored.append(ProposalQueue.Ignored(name: VisibleText.ascii(name, limit: 64), reason: reason))
    }
}
