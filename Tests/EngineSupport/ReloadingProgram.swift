import ReconcilerEngine
import ReconcilerModel

/// A sidecar that reads its files at its start and on SIGHUP, and says by a link what it has loaded.
///
/// It reads first and speaks some moments later, so that what is copied in between is not loaded. Its handler for
/// SIGHUP is there with its first word; before, the signal does what it does to any process.
package struct ReloadingProgram: ContainerProgram {
    /// The link by which it speaks.
    package static let link = "/run/bottle/loaded"

    private let paths: [String]
    private let moments: Int
    /// A file that must hold something before it begins.
    private let gate: String?
    /// The reason for which it refuses some contents; nil: it takes them.
    private let refusal: @Sendable ([String: [UInt8]]) -> String?
    private var inForce: String?
    private var hasHandler = false
    /// What it read, and after how many moments it says so.
    private var loading: (contents: [String: [UInt8]], moments: Int)?
    private var isAskedAgain = false
    private var hasBegun = false

    /// - Parameters:
    ///   - paths: the files it reads.
    ///   - moments: how many moments a load takes.
    ///   - gate: a file that must hold something before it begins; nil: it begins at once.
    ///   - refusal: the reason code for which it refuses some contents, by path; nil: it takes them.
    package init(
        reading paths: [String],
        moments: Int = 2,
        after gate: String? = nil,
        refusal: @escaping @Sendable ([String: [UInt8]]) -> String? = { _ in nil }
    ) {
        self.paths = paths
        self.moments = moments
        self.gate = gate
        self.refusal = refusal
    }

    package var isIdle: Bool { hasBegun && loading == nil }

    package mutating func tick(_ machine: inout ContainerMachine) {
        if !hasBegun {
            if let gate, machine.read(gate)?.isEmpty ?? true { return }
            hasBegun = true
            begin(machine)
        }
        guard let current = loading else { return }
        guard current.moments <= 1 else {
            loading?.moments -= 1
            return
        }
        loading = nil
        finish(current.contents, &machine)
        if isAskedAgain {
            isAskedAgain = false
            begin(machine)
        }
    }

    package mutating func handle(_ signal: String, _ machine: inout ContainerMachine) -> Bool {
        guard signal == "HUP", hasHandler else { return false }
        if loading == nil { begin(machine) } else { isAskedAgain = true }
        return true
    }

    private mutating func begin(_ machine: ContainerMachine) {
        var contents: [String: [UInt8]] = [:]
        for path in paths { contents[path] = machine.read(path) }
        loading = (contents, moments)
    }

    private mutating func finish(_ contents: [String: [UInt8]], _ machine: inout ContainerMachine) {
        let files = contents.map { DesiredFile(path: $0.key, content: $0.value, isReloadable: true) }
        let hash = Generation.digest(of: files)?.hex ?? String(repeating: "0", count: 64)
        let isWhole = contents.count == paths.count
        let target: String
        if let reason = isWhole ? refusal(contents) : "missing-file" {
            target = "/\(inForce ?? "none")/\(reason)/\(hash)"
            machine.say("refused: \(reason)\n", .errors)
        } else {
            inForce = hash
            target = "/\(hash)/ok"
            machine.say("loaded \(hash)\n")
        }
        hasHandler = true
        machine.put(FileTree.Node(.link(target), mode: 0o777, modifiedAt: machine.now), at: Self.link)
    }
}
