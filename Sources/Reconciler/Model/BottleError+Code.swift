extension BottleError {
    /// The stable kebab-case word by which programs know an error (SPEC 10: `code`).
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        private init(_ rawValue: String) { self.rawValue = rawValue }

        package var description: String { rawValue }
    }

    /// What the loop does after an error.
    package enum Disposition: Sendable, Hashable {
        /// Tries again after a back-off.
        case retry
        /// Leaves the bottle as it is until a person acts.
        case stalled
        /// Gives up the change that caused it: trying again can't help.
        case hopeless
    }
}

extension BottleError.Code {
    package static let actionFailed = Self("action-failed")
    package static let addressMissing = Self("address-missing")
    package static let alreadyDecided = Self("already-decided")
    package static let alreadyDesired = Self("already-desired")
    package static let alreadyEnded = Self("already-ended")
    package static let alreadyRunning = Self("already-running")
    package static let auditBusy = Self("audit-busy")
    package static let auditDamaged = Self("audit-damaged")
    package static let auditEmpty = Self("audit-empty")
    package static let auditNotWhole = Self("audit-not-whole")
    package static let auditUnreadable = Self("audit-unreadable")
    package static let auditUnwritable = Self("audit-unwritable")
    package static let badSignature = Self("bad-signature")
    package static let baseMissing = Self("base-missing")
    package static let buildExitFailed = Self("build-exit-failed")
    package static let buildFailed = Self("build-failed")
    package static let buildRefused = Self("build-refused")
    package static let busy = Self("busy")
    package static let caUnreadable = Self("ca-unreadable")
    package static let caUnwritable = Self("ca-unwritable")
    package static let candidateChanged = Self("candidate-changed")
    package static let containerEnded = Self("container-ended")
    package static let containerKilled = Self("container-killed")
    package static let contextUnreadable = Self("context-unreadable")
    package static let declined = Self("declined")
    package static let desiredBusy = Self("desired-busy")
    package static let desiredDirty = Self("desired-dirty")
    package static let desiredMoved = Self("desired-moved")
    package static let desiredUnreadable = Self("desired-unreadable")
    package static let desiredUnsigned = Self("desired-unsigned")
    package static let desiredUnwritable = Self("desired-unwritable")
    package static let dockerfileRefused = Self("dockerfile-refused")
    package static let dockerfilesMissing = Self("dockerfiles-missing")
    package static let editAbandoned = Self("edit-abandoned")
    package static let engineAddress = Self("engine-address")
    package static let engineRefused = Self("engine-refused")
    package static let engineUnreachable = Self("engine-unreachable")
    package static let fileChanged = Self("file-changed")
    package static let fingerprintKeyUnreadable = Self("fingerprint-key-unreadable")
    package static let gitMissing = Self("git-missing")
    package static let homeUnknown = Self("home-unknown")
    package static let homeUnsuitable = Self("home-unsuitable")
    package static let hookFailed = Self("hook-failed")
    package static let hostTrouble = Self("host-trouble")
    package static let imageForgesLabels = Self("image-forges-labels")
    package static let imageMissing = Self("image-missing")
    package static let inputTooLarge = Self("input-too-large")
    package static let inputUnreadable = Self("input-unreadable")
    package static let `internal` = Self("internal")
    package static let interrupted = Self("interrupted")
    package static let invalidHost = Self("invalid-host")
    package static let invalidLimits = Self("invalid-limits")
    package static let invalidManifest = Self("invalid-manifest")
    package static let invalidRemediation = Self("invalid-remediation")
    package static let invalidRoute = Self("invalid-route")
    package static let invalidValue = Self("invalid-value")
    package static let loadRefused = Self("load-refused")
    package static let metricsAddress = Self("metrics-address")
    package static let moving = Self("moving")
    package static let nameTaken = Self("name-taken")
    package static let needsYes = Self("needs-yes")
    package static let networkMissing = Self("network-missing")
    package static let networkOfABottle = Self("network-of-a-bottle")
    package static let networkPoolExhausted = Self("network-pool-exhausted")
    package static let noBottles = Self("no-bottles")
    package static let noControlSocket = Self("no-control-socket")
    package static let noDockerfile = Self("no-dockerfile")
    package static let noEditor = Self("no-editor")
    package static let noHome = Self("no-home")
    package static let noLogs = Self("no-logs")
    package static let noProposal = Self("no-proposal")
    package static let noRevision = Self("no-revision")
    package static let noSigningKey = Self("no-signing-key")
    package static let noSshKeygen = Self("no-ssh-keygen")
    package static let noSuchGroup = Self("no-such-group")
    package static let notApprovable = Self("not-approvable")
    package static let notBegun = Self("not-begun")
    package static let notBuiltYet = Self("not-built-yet")
    package static let notConverging = Self("not-converging")
    package static let notDeleted = Self("not-deleted")
    package static let notFound = Self("not-found")
    package static let notGrantable = Self("not-grantable")
    package static let notLoaded = Self("not-loaded")
    package static let notReloadable = Self("not-reloadable")
    package static let notResolved = Self("not-resolved")
    package static let notSigned = Self("not-signed")
    package static let onProposal = Self("on-proposal")
    package static let otherBottle = Self("other-bottle")
    package static let programNotForLinux = Self("program-not-for-linux")
    package static let pullFailed = Self("pull-failed")
    package static let queueUnusable = Self("queue-unusable")
    package static let remediationConflict = Self("remediation-conflict")
    package static let remediationUnreadable = Self("remediation-unreadable")
    package static let secretUnavailable = Self("secret-unavailable")
    package static let settingsUnreadable = Self("settings-unreadable")
    package static let silent = Self("silent")
    package static let stateUnreadable = Self("state-unreadable")
    package static let stateUnsafe = Self("state-unsafe")
    package static let stateUnwritable = Self("state-unwritable")
    package static let superviseRemote = Self("supervise-remote")
    package static let systemRefused = Self("system-refused")
    package static let timeout = Self("timeout")
    package static let unknownAction = Self("unknown-action")
}

extension BottleError.Code {
    package var disposition: BottleError.Disposition {
        switch self {
        case .desiredUnreadable, .remediationUnreadable: .stalled
        case .baseMissing, .buildFailed, .buildRefused, .containerEnded, .dockerfileRefused, .loadRefused: .hopeless
        default: .retry
        }
    }
}
