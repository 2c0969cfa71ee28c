import ReconcilerModel

/// A plan as a person reads it.
enum PlanText {
    /// What will be done and why, drift apart from it.
    static func of(_ plan: Plan, style: Style) -> String {
        var lines: [String] = []
        for drift in plan.drift {
            lines.append("  \(style.yellow("drift")) \(drift.object): \(VisibleText.line(drift.cause))")
        }
        for action in plan.actions { lines.append("  \(line(action, style: style))") }
        for finding in plan.findings { lines.append("  \(style.yellow("note")) \(text(of: finding))") }
        if plan.actions.isEmpty { lines.append("  no changes") }
        return ([style.bold(plan.identity.name)] + lines).joined(separator: "\n")
    }

    /// So many actions.
    static func count(_ actions: Int) -> String { actions == 1 ? "1 action" : "\(actions) actions" }

    private static func line(_ action: Action, style: Style) -> String {
        let mark =
            switch action.verb {
            case .create, .build, .pull, .connect, .start, .unpause: style.green("+")
            case .remove, .stop, .disconnect: style.red("-")
            case .copy, .signal, .restart, .update, .exec: style.yellow("~")
            }
        let about = [action.path, action.network?.rawValue].compactMap { $0 }.map { " " + $0 }.joined()
        return
            "\(mark) \(action.verb.rawValue) \(action.object)\(VisibleText.line(about)) \(style.dim("(\(action.reason.rawValue))"))"
    }

    static func text(of finding: Finding) -> String {
        switch finding {
        case .nameTaken(let object, let name, let holder):
            "\(object): the name \(name) is taken by \(VisibleText.line(holder))"
        case .externalNetworkMissing(let name): "the network \(VisibleText.line(name)) is not there"
        case .externalNetworkOfBottle(let name): "the network \(VisibleText.line(name)) belongs to a bottle"
        case .imageForgesLabels(let role, let reference):
            "the image \(reference) of \(role.rawValue) carries our labels"
        case .replacementPending(let reason):
            "the living agent is not as described (\(reason.rawValue)); it is replaced by an edit, or once it ended"
        case .reloadRefused(let role, let reason): "\(role.rawValue) refused its new files: \(VisibleText.line(reason))"
        case .foreignContainer(let name, let network):
            "the container \(VisibleText.line(name)) is on the bottle's \(network.rawValue) network; bottle never touches what "
                + "it did not make: `docker network disconnect` takes it off"
        case .agentRests: "the agent ended again and again; its next start waits"
        case .agentEnded(let code): "the agent ended with status \(code)"
        }
    }

    /// What a bottle may do once it is launched.
    static func of(_ preflight: Preflight, manifest: BottleManifest, images: [DesiredImage], style: Style) -> String {
        var lines = images.map { "  image    \($0.role.rawValue)  \($0.reference)" }
        lines += ["  hosts    \(preflight.hosts.isEmpty ? "none" : preflight.hosts.joined(separator: ", "))"]
        for route in preflight.routes {
            let paths = route.paths.isEmpty ? "any path" : route.paths.joined(separator: ", ")
            let credential = route.credential.map { ", sends \(style.yellow($0))" } ?? ""
            let port = route.port == 443 ? "" : ":\(route.port)"
            let writes = route.methods.allSatisfy { ["GET", "HEAD", "OPTIONS"].contains($0) } ? "" : ", may write"
            lines.append(
                "  route    \(route.host)\(port)  \(route.methods.joined(separator: ","))  \(VisibleText.line(paths))\(writes)\(credential)"
            )
        }
        for remote in preflight.gitRemotes { lines.append("  push to  \(VisibleText.line(remote))") }
        if !preflight.envNames.isEmpty { lines.append("  secrets  \(preflight.envNames.joined(separator: ", "))") }
        let ca = preflight.tls.caFingerprint.map { "CA SHA-256 \($0)" } ?? "a CA of its own is minted"
        lines.append("  TLS      \(preflight.tls.enabled ? "terminated by egress-proxy, \(ca)" : "not intercepted")")
        if let network = manifest.egress.network {
            lines.append("  network  leaves through \(VisibleText.line(network))")
        }
        if manifest.egress.firewall == .none {
            lines.append(
                "  \(style.yellow("warning"))  firewall: none – nothing scans or limits what leaves by host name"
            )
        }
        return lines.joined(separator: "\n")
    }
}
