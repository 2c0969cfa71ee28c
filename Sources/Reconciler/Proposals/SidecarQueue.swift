package import ReconcilerModel
package import ReconcilerPlatform
package import ReconcilerTime

/// The sidecar's side of its bottle's queue: it writes `in/` and reads `out/`.
package struct SidecarQueue: Sendable {
    package let folder: String

    /// - Parameter folder: holds `in` and `out`.
    package init(folder: String) { self.folder = folder }

    private var inFolder: String { "\(folder)/in" }
    private var outFolder: String { "\(folder)/out" }

    /// How many names are looked at on either side.
    private static let nameLimit = 4096

    /// Puts a proposal into the queue; on the disk when this returns, whole or absent if the process dies here.
    package func submit(_ proposal: Proposal) throws {
        try DurableFile.write(proposal.bytes, to: "\(inFolder)/\(ProposalQueue.file(of: proposal.id))")
    }

    /// Takes a proposal whose answer was heard out of the queue.
    package func withdraw(_ id: ProposalID) throws {
        try DurableFile.remove("\(inFolder)/\(ProposalQueue.file(of: id))")
    }

    /// The proposals that wait or whose answers are not forgotten, by id.
    ///
    /// What this sidecar did not write is passed over.
    package func proposals() throws -> [Proposal] {
        guard let folder = try OpenFolder(inFolder) else { return [] }
        var proposals: [Proposal] = []
        for name in try folder.names(limit: Self.nameLimit).names.sorted() {
            guard let id = ProposalQueue.id(ofFile: name),
                case .bytes(let bytes) = folder.read(name, limit: Proposal.fileLimit),
                let proposal = try? Proposal(reading: bytes), proposal.id == id
            else { continue }
            proposals.append(proposal)
        }
        return proposals
    }

    /// When something was last said by the host; nil: there is no folder yet.
    package func lastWord() throws -> Timestamp? { try OpenFolder(outFolder)?.changed() }

    /// What became of the proposals of `ids`.
    package func answers(to ids: some Sequence<ProposalID>) throws -> [ProposalID: ProposalAnswer] {
        guard let folder = try OpenFolder(outFolder) else { return [:] }
        var answers: [ProposalID: ProposalAnswer] = [:]
        for id in ids {
            guard case .bytes(let bytes) = folder.read(ProposalQueue.file(of: id), limit: ProposalAnswer.fileLimit),
                let answer = try? ProposalAnswer(reading: bytes), answer.id == id
            else { continue }
            answers[id] = answer
        }
        return answers
    }

    /// The newest answered proposal of a question whose own file is gone; nil: none is remembered.
    package func newestAnswered(_ question: String) throws -> ProposalID? {
        guard let folder = try OpenFolder(outFolder) else { return nil }
        let ids = try folder.names(limit: Self.nameLimit).names.compactMap(ProposalQueue.id(ofFile:))
        return ids.filter { $0.question == question }.max()
    }

    /// Removes what a killed writer of `in/` left half made; nobody else writes there.
    ///
    /// What can't be removed, as a folder of such a name, is no writer's, and in nobody's way.
    package func tidy() throws {
        guard let folder = try OpenFolder(inFolder) else { return }
        for name in try folder.names(limit: Self.nameLimit).names where ProposalQueue.isBeingWritten(name) {
            _ = try? POSIX.unlink("\(inFolder)/\(name)")
        }
    }

    /// What tells the state from the one before; nil: there is none.
    package func stateMark() throws -> FileMark? { try OpenFolder(outFolder)?.mark(of: ProposalQueue.stateFile) }

    /// What is in force; nil: the host has not said it yet, or in a form that this program doesn't know.
    package func state() throws -> SupervisedState? {
        guard let folder = try OpenFolder(outFolder) else { return nil }
        switch folder.read(ProposalQueue.stateFile, limit: SupervisedState.fileLimit) {
        case .bytes(let bytes): return try SupervisedState(reading: bytes)
        case .missing: return nil
        case .unsuitable(let reason): throw QueueFile.Unsuitable(reason)
        }
    }
}
