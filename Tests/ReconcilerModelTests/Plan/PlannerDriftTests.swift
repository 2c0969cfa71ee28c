import ReconcilerModel
import Testing

/// Plans that heal what happened behind our back, as text.
@Suite("plans of repairs")
struct PlannerDriftTests {
    private func plan(_ damage: Damage..., to manifest: BottleManifest = Sample.routed) throws -> String {
        var world = try World.converged(manifest)
        for one in damage { try #require(try world.suffer(one)) }
        return try world.plan().text
    }

    @Test("a removed sidecar is made again, and nothing else is touched")
    func removed() throws {
        let text = try plan(.removed(.egressProxy))
        #expect(
            text
                == """
                0 create container/egress-proxy missing
                drift missing container/egress-proxy: is gone
                """
        )
    }

    @Test("a stranger on a network of the bottle is reported and left alone, one elsewhere is no concern")
    func foreignContainers() throws {
        var world = try World.converged(Sample.routed)
        let network = try #require(world.networks.first { $0.name.hasSuffix("-internal") })
        world.foreignContainers = [
            ObservedForeignContainer(name: "stranger", networks: [network.id, "n-bridge"]),
            ObservedForeignContainer(name: "neighbour", networks: ["n-bridge", "n-corp"]),
        ]
        let plan = try world.plan()
        #expect(plan.actions.isEmpty)
        #expect(plan.findings == [.foreignContainer(name: "stranger", network: .internal)])
        #expect(
            plan.drift == [
                Drift(
                    kind: .foreignContainer,
                    object: .network(.internal),
                    cause: "holds stranger, which is not the bottle's"
                )
            ]
        )
    }

    @Test("a program that describes the unchanged agent otherwise leaves the living one alone")
    func upgrade() throws {
        var world = try World.converged(Sample.routed)
        let earlier = "v1:" + String(repeating: "0", count: 64)
        world.record.agentIntent = earlier
        world.change(.agent) { $0.shell.labels[Labels.specHash] = earlier }
        let plan = try world.plan()
        #expect(plan.actions.isEmpty)
        #expect(plan.findings == [.replacementPending(reason: .specChanged)])
        world.edit { $0.agent.environment["NEW"] = .literal("1") }
        let edited = try world.plan()
        #expect(edited.replacesAgent)
    }

    @Test("a removed agent is made again on its volumes")
    func removedAgent() throws {
        let text = try plan(.removed(.agent))
        #expect(
            text
                == """
                0 create container/agent missing
                drift missing container/agent: is gone
                """
        )
    }

    @Test("a stopped sidecar is started")
    func stopped() throws {
        let text = try plan(.stopped(.firewall))
        #expect(
            text
                == """
                0 start container/firewall stopped
                drift stopped container/firewall: has stopped
                """
        )
    }

    @Test("a sidecar that the engine killed for its memory is started, and the drift says so")
    func killedForMemory() throws {
        var world = try World.converged(Sample.routed)
        world.end(.egressProxy, exitCode: 137)
        world.change(.egressProxy) { $0.shell.wasKilledForMemory = true }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 start container/egress-proxy stopped
                drift stopped container/egress-proxy: was killed for its memory
                """
        )
    }

    @Test("a dead container is made anew")
    func dead() throws {
        let text = try plan(.dead(.firewall))
        #expect(
            text
                == """
                0 remove container/firewall stopped
                1 create container/firewall stopped after 0
                drift stopped container/firewall: is dead
                """
        )
    }

    @Test("a removed agent begins only when the stopped sidecar beside it is up again")
    func removedAgentAndStoppedSidecar() throws {
        let text = try plan(.removed(.agent), .stopped(.egressProxy))
        #expect(
            text
                == """
                0 start container/egress-proxy stopped
                1 create container/agent missing starts after 0
                drift missing container/agent: is gone
                drift stopped container/egress-proxy: has stopped
                """
        )
    }

    @Test("a paused container goes on")
    func paused() throws {
        let text = try plan(.paused(.agent))
        #expect(
            text
                == """
                0 unpause container/agent paused
                drift paused container/agent: is paused
                """
        )
    }

    @Test("a paused firewall that must close a host is restarted, not only told")
    func pausedWithdrawal() throws {
        var world = try World.converged(Sample.unrouted)
        try #require(try world.suffer(.paused(.firewall)))
        world.edit { $0.egress.allowlist = [] }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 unpause container/firewall paused
                1 copy container/firewall file-changed /etc/firewall/allowlist after 0
                2 restart container/firewall permission-withdrawn after 1
                drift paused container/firewall: is paused
                """
        )
    }

    @Test("a container that was made but never started gets what it lacks, then starts")
    func halfMade() throws {
        var world = try World.converged(Sample.routed)
        world.record.converged = nil
        world.change(.egressProxy) { box in
            box.shell.state = .created
            box.disk = [:]
            box.loaded = nil
            // The engine tells no network's id before the first start.
            box.shell.endpoints = [box.shell.endpoints[0]]
            box.shell.endpoints[0].networkID = ""
        }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 connect container/egress-proxy disconnected (link)
                1 copy container/egress-proxy file-missing /etc/egress-proxy/routes.yaml after 0
                2 copy container/egress-proxy file-missing /etc/egress-proxy/upstream-roots.pem after 0
                3 copy container/egress-proxy file-missing /etc/egress-proxy/ca.pem after 0
                4 start container/egress-proxy never-started after 1,2,3
                """
        )
    }

    @Test("a disconnected container is connected at its address")
    func disconnected() throws {
        let text = try plan(.disconnected(.agent))
        #expect(
            text
                == """
                0 connect container/agent disconnected (internal)
                drift disconnected container/agent: is not on the internal network as planned
                """
        )
    }

    @Test("a sidecar that is put back on its clients' network is restarted; on another network it is not")
    func reattached() throws {
        let served = try plan(.disconnected(.egressProxy))
        #expect(
            served
                == """
                0 connect container/egress-proxy disconnected (internal)
                1 restart container/egress-proxy disconnected after 0
                drift disconnected container/egress-proxy: is not on the internal network as planned
                """
        )
        var world = try World.converged(Sample.routed)
        world.change(.egressProxy) { $0.shell.endpoints.removeAll { $0.networkName.hasSuffix("-link") } }
        #expect(try world.plan().verbs == ["connect container/egress-proxy"])
    }

    @Test("a container at another address is put at its own")
    func readdressed() throws {
        let text = try plan(.readdressed(.egressProxy))
        #expect(
            text
                == """
                0 disconnect container/egress-proxy address-wrong (internal)
                1 connect container/egress-proxy address-wrong (internal) after 0
                2 restart container/egress-proxy disconnected after 1
                drift address-wrong container/egress-proxy: is not on the internal network as planned
                """
        )
    }

    @Test("a container without its alias is connected again with it")
    func aliasGone() throws {
        var world = try World.converged(Sample.routed)
        world.change(.egressProxy) { $0.shell.endpoints[0].aliases = ["0123456789ab"] }
        let verbs = ["disconnect", "connect", "restart"].map { "\($0) container/egress-proxy" }
        #expect(try world.plan().verbs == verbs)
        world.change(.egressProxy) { $0.shell.endpoints[0].aliases = ["0123456789ab", "egress-proxy"] }
        #expect(try world.plan().verbs == [])
    }

    @Test("a foreign network is left before anything else happens")
    func attached() throws {
        let text = try plan(.removed(.firewall), .attached(.agent))
        #expect(
            text
                == """
                0 disconnect container/agent foreign-network
                1 create container/firewall missing starts after 0
                drift missing container/firewall: is gone
                drift foreign-network container/agent: is attached to the network bridge
                """
        )
    }

    @Test("an agent on the bottle's own egress network is taken off it")
    func attachedToEgress() throws {
        var world = try World.converged(Sample.routed)
        let egress = try #require(world.network(named: "bottle-dev-egress"))
        world.change(.agent) { box in
            box.shell.endpoints.append(.init(networkID: egress.id, networkName: egress.name, address: nil))
        }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 disconnect container/agent foreign-network
                drift foreign-network container/agent: is attached to the network bottle-dev-egress
                """
        )
    }

    @Test("a removed network is made again, with everything that was on it")
    func networkGone() throws {
        let text = try plan(.networkGone(.internal))
        #expect(
            text
                == """
                0 remove container/egress-proxy network-gone
                1 create network/internal missing after 0
                2 create container/egress-proxy network-gone after 0,1
                3 connect container/agent network-changed (internal) after 1
                drift network-gone container/egress-proxy: is on a network that is gone
                drift missing network/internal: is gone
                """
        )
    }

    @Test("a network with another subnet and other options is made anew under what is attached")
    func networkChanged() throws {
        var world = try World.converged(Sample.routed)
        for index in world.networks.indices where world.networks[index].name == "bottle-dev-internal" {
            world.networks[index].options = [:]
        }
        let options = try world.plan().text
        #expect(
            options
                == """
                0 disconnect container/egress-proxy network-changed (internal)
                1 disconnect container/agent network-changed (internal)
                2 remove network/internal network-changed after 0,1
                3 create network/internal network-changed after 2
                4 connect container/egress-proxy network-changed (internal) after 3
                5 restart container/egress-proxy disconnected after 4
                6 connect container/agent network-changed (internal) after 3
                drift network-changed network/internal: has another subnet or other options
                """
        )
        let subnet = try plan(.networkChanged(.link))
        #expect(
            subnet
                == """
                0 remove container/firewall network-gone
                1 remove container/egress-proxy network-gone
                2 remove network/link network-changed after 0,1
                3 create network/link network-changed after 2
                4 create container/firewall network-gone after 0,1,3
                5 create container/egress-proxy network-gone after 0,1,3
                drift network-gone container/firewall: is on a network that is gone
                drift network-gone container/egress-proxy: is on a network that is gone
                drift network-changed network/link: has another subnet or other options
                """
        )
    }

    @Test("a second network of the same name is removed")
    func networkTwin() throws {
        let text = try plan(.networkTwin(.link))
        #expect(
            text
                == """
                0 remove network/link not-desired
                drift not-desired network/link: is there twice
                """
        )
    }

    @Test("an edited file is put right and loaded")
    func edited() throws {
        let text = try plan(.edited(.egressProxy))
        #expect(
            text
                == """
                0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                1 signal container/egress-proxy files-copied after 0
                drift file-changed container/egress-proxy: /etc/egress-proxy/routes.yaml is not as it was put there
                """
        )
    }

    @Test("an allowlist that somebody edited and loaded closes by restart")
    func reloadedEdit() throws {
        let text = try plan(.reloadedEdit(.firewall))
        #expect(
            text
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 restart container/firewall permission-withdrawn after 0
                drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there
                """
        )
    }

    @Test("a missing file that the program reads only at its start stops it until the file is there")
    func lost() throws {
        let text = try plan(.lost(.egressProxy))
        #expect(
            text
                == """
                0 stop container/egress-proxy file-missing
                1 copy container/egress-proxy file-missing /etc/egress-proxy/ca.pem after 0
                2 start container/egress-proxy files-copied after 1
                drift file-missing container/egress-proxy: /etc/egress-proxy/ca.pem is gone
                """
        )
    }

    @Test("another mode is a difference")
    func moded() throws {
        let text = try plan(.moded(.firewall))
        #expect(
            text
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 signal container/firewall files-copied after 0
                drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there
                """
        )
    }

    @Test("files that are right but not in force are signalled")
    func otherGeneration() throws {
        var world = try World.converged(Sample.routed)
        let old = ContentDigest(of: "old")
        world.record.permissions["firewall"]?[old.hex] = ["docs.example.com 443"]
        world.change(.firewall) { $0.loaded = LoadedGeneration(inForce: old) }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 signal container/firewall other-generation
                drift other-generation container/firewall: has not loaded the files it was given
                """
        )
    }

    @Test("a sidecar that has said nothing since its start is signalled, which waits for its first word")
    func saysNothing() throws {
        var world = try World.converged(Sample.routed)
        world.change(.firewall) { $0.loaded = nil }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 signal container/firewall other-generation
                """
        )
    }

    @Test("a firewall that has said nothing and may have read an old file is restarted")
    func saysNothingAndDiffers() throws {
        var world = try World.converged(Sample.unrouted)
        world.change(.firewall) { $0.loaded = nil }
        world.edit { $0.egress.allowlist = [Sample.host("new.example.com")] }
        let text = try world.plan().text
        #expect(
            text
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 restart container/firewall permission-withdrawn after 0
                """
        )
    }

    @Test(
        "a firewall restarts when what is in force allowed more, or nobody knows what",
        arguments: [["docs.example.com 443", "gone.example.com 443"], nil]
    )
    func withdrawn(_ allowed: [String]?) throws {
        var world = try World.converged(Sample.routed)
        let old = ContentDigest(of: "old")
        world.record.permissions["firewall"]?[old.hex] = allowed
        world.change(.firewall) { $0.loaded = LoadedGeneration(inForce: old) }
        let text = try world.plan().text
        #expect(text.hasPrefix("0 restart container/firewall permission-withdrawn\ndrift other-generation"))
    }

    @Test("a refused generation is told, not signalled again, and not restarted into", arguments: [true, false])
    func refused(_ removesHost: Bool) throws {
        var world = try World.converged(Sample.unrouted)
        world.edit { manifest in
            if removesHost {
                manifest.egress.allowlist = []
            } else {
                manifest.egress.allowlist.append(Sample.host("new.example.com"))
            }
        }
        let wanted = try #require(try world.desired().container(.firewall))
        let generation = try #require(wanted.generation)
        world.change(.firewall) { box in
            for file in wanted.files { box.disk[file.path] = .init(file) }
            box.loaded?.refusal = .init(reason: "bad-file", generation: generation)
        }
        let plan = try world.plan()
        #expect(plan.isEmpty)
        #expect(plan.findings == [.reloadRefused(role: .firewall, reason: "bad-file")])
    }

    @Test("an image that moved: sidecars are made anew, the living agent only flagged")
    func imageMoved() throws {
        let sidecar = try plan(.imageMoved(.firewall))
        #expect(
            sidecar
                == """
                0 remove container/firewall image-changed
                1 create container/firewall image-changed after 0
                drift image-changed container/firewall: runs another image than its name stands for now
                """
        )
        let agent = try plan(.imageMoved(.agent))
        #expect(
            agent
                == """
                drift image-changed container/agent: is not what its unchanged description would be made into now
                finding replacementPending(reason: ReconcilerModel.Reason.imageChanged)
                """
        )
    }

    @Test("a container under our labels is believed only as far as the engine tells the same of it")
    func impostor() throws {
        let sidecar = try plan(.unconfined(.firewall))
        #expect(
            sidecar
                == """
                0 remove container/firewall spec-changed
                1 create container/firewall spec-changed after 0
                drift spec-changed container/firewall: was made from another description
                """
        )
        let agent = try plan(.unconfined(.agent))
        #expect(
            agent
                == """
                drift spec-changed container/agent: is not what its unchanged description would be made into now
                finding replacementPending(reason: ReconcilerModel.Reason.specChanged)
                """
        )
        var world = try World.converged(Sample.routed)
        world.change(.egressProxy) { $0.shell.imageID = "sha256:evil" }
        let image = try world.plan().text
        #expect(image.hasPrefix("0 remove container/egress-proxy image-changed\n"))
    }

    @Test("every part of what confines a container counts")
    func confinement() throws {
        let wanted = try #require(try DesiredBottle(rendering: Sample.input(Sample.routed)).container(.agent))
        var spec = wanted.spec
        spec.user = "node"
        let right = Confinement(spec)
        #expect(right.meets(spec))
        let wrong: [(inout Confinement) -> Void] = [
            { $0.dropsAllCapabilities = false }, { $0.hasAddedCapabilities = true }, { $0.hasNoNewPrivileges = false },
            { $0.isPrivileged = true }, { $0.isRootReadOnly.toggle() }, { $0.user = "root" }, { $0.command = ["sh"] },
            { $0.environment["HTTP_PROXY"] = "http://evil" }, { $0.environment["HTTP_PROXY"] = nil },
            { $0.mounts.removeFirst() }, { $0.mounts[0].volume = "other" }, { $0.mounts[0].target = "/other" },
            { $0.mounts.append(.init(volume: nil, target: "/var/run/docker.sock")) },
            { $0.mounts.append(.init(volume: "bottle-other-home", target: "/other")) },
        ]
        for (index, change) in wrong.enumerated() {
            var confinement = right
            change(&confinement)
            #expect(!confinement.meets(spec), "change \(index)")
        }
    }

    @Test("a container that the engine would start again by itself is told not to", arguments: [Role.firewall, .agent])
    func restartsItself(_ role: Role) throws {
        let text = try plan(.restarting(role))
        #expect(
            text
                == """
                0 update container/\(role.rawValue) limits-changed
                drift limits-changed container/\(role.rawValue): would be started again by the engine itself
                """
        )
    }

    @Test("a limit that nobody asked for is told; it can't be taken away in place")
    func overlimited() throws {
        var manifest = Sample.routed
        manifest.agent.resources.memory = nil
        let text = try plan(.overlimited(.agent), to: manifest)
        #expect(text == "drift limits-changed container/agent: has limits that nobody asked for: memory")
    }

    @Test("a renamed sidecar is made anew under its name, a renamed living agent is only flagged")
    func renamed() throws {
        let sidecar = try plan(.renamed(.egressProxy))
        #expect(
            sidecar
                == """
                0 remove container/egress-proxy renamed
                1 create container/egress-proxy renamed after 0
                drift renamed container/egress-proxy: has another name
                """
        )
        let agent = try plan(.renamed(.agent))
        #expect(
            agent
                == """
                drift renamed container/agent: is not what its unchanged description would be made into now
                finding replacementPending(reason: ReconcilerModel.Reason.renamed)
                """
        )
    }

    @Test("a file in the agent that can't be looked at is put there again, and nothing of the sidecars waits for that")
    func unreadable() throws {
        var world = try World.converged(Sample.routed)
        world.networks.append(
            ObservedNetwork(
                id: "n-old",
                name: "bottle-dev-old",
                labels: Labels.of(Sample.identity, role: "link", installation: Sample.installation)
            )
        )
        world.record.names.append("bottle-dev-old")
        world.edit { $0.egress.allowlist = [] }
        let desired = try world.desired()
        var observed = world.observe(desired)
        let agent = try #require(observed.containers.firstIndex { $0.role == .agent })
        observed.containers[agent].files["/etc/bottle/prompt.md"] = .some(.unreadable)
        let plan = Planner.plan(desired: desired, observed: observed, record: world.record)
        #expect(
            plan.text
                == """
                0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                1 signal container/egress-proxy files-copied after 0
                2 copy container/firewall file-changed /etc/firewall/allowlist after 1
                3 restart container/firewall permission-withdrawn after 2
                4 copy container/agent file-changed /etc/bottle/prompt.md after 1,3
                5 remove network/link not-desired after 0,1,2,3
                drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there
                """
        )
    }

    @Test("a removed image is built again while its container runs on")
    func imageGone() throws {
        let text = try plan(.imageGone(.firewall))
        #expect(
            text
                == """
                0 build image/firewall missing
                drift missing image/firewall: is gone
                """
        )
    }

    @Test("another build context builds, and only then makes anew")
    func contextChanged() throws {
        var world = try World.converged(Sample.routed)
        world.contexts[.egressProxy] = ContentDigest(of: "another")
        let first = try world.plan().text
        #expect(first == "0 build image/egress-proxy context-changed")
        let plans = try world.converge()
        try #require(plans.count == 2)
        #expect(plans[1].verbs == ["remove container/egress-proxy", "create container/egress-proxy"])
    }

    @Test(
        "an agent that ended is left so or started again, as its policy says",
        arguments: [
            (RestartPolicy.never, 0, false), (.never, 1, false), (.onFailure, 0, false), (.onFailure, 137, true),
            (.always, 0, true), (.always, 1, true),
        ]
    )
    func agentEnded(_ policy: RestartPolicy, _ exitCode: Int, _ starts: Bool) throws {
        var manifest = Sample.routed
        manifest.agent.restart = policy
        var world = try World.converged(manifest)
        world.end(.agent, exitCode: exitCode)
        let plan = try world.plan()
        #expect(plan.text == (starts ? "0 start container/agent ended" : "finding agentEnded(exitCode: \(exitCode))"))
    }

    @Test(
        "nothing sets an agent going again that ended, but an edit of it",
        arguments: [Damage.imageMoved(.agent), .networkGone(.internal), .edited(.agent), .limited(.agent)]
    )
    func endedStaysEnded(_ damage: Damage) throws {
        var world = try World.converged(Sample.routed)
        world.end(.agent, exitCode: 1)
        _ = try world.converge()
        try #require(try world.suffer(damage))
        let plans = try world.converge()
        #expect(!plans.flatMap(\.actions).contains { $0.object == .container(.agent) && $0.verb != .disconnect })
        #expect(world.box(.agent)?.shell.state == .exited)
        world.edit { $0.agent.environment["TZ"] = .literal("CET") }
        _ = try world.converge()
        #expect(world.box(.agent)?.shell.state == .running)
    }

    @Test("an ended agent whose container is removed stays ended, until it is edited or its policy is")
    func endedAndRemoved() throws {
        var world = try World.converged(Sample.routed)
        world.end(.agent, exitCode: 0)
        _ = try world.converge()
        try #require(try world.suffer(.removed(.agent)))
        #expect(try world.plan().text == "finding agentEnded(exitCode: 0)")
        world.edit { $0.agent.restart = .always }
        #expect(try world.plan().verbs == ["create container/agent"])
    }

    @Test("an orphan with its volumes and network is removed, the agent's work never")
    func orphan() throws {
        var world = try World.converged(Sample.unrouted)
        let labels = { Labels.of(Sample.identity, role: $0, installation: Sample.installation) }
        try #require(try world.suffer(.orphan))
        for purpose in ["git-gate-config", "workspace"] {
            world.volumes.append(ObservedVolume(name: "bottle-dev-\(purpose)", labels: labels(purpose)))
            world.record.names.append("bottle-dev-\(purpose)")
        }
        world.networks.append(ObservedNetwork(id: "n-link", name: "bottle-dev-link", labels: labels("link")))
        world.record.ids["bottle-dev-link"] = "n-link"
        let text = try world.plan().text
        #expect(
            text
                == """
                0 remove container/git-gate not-desired
                1 remove network/link not-desired after 0
                2 remove volume/bottle-dev-git-gate-config not-desired after 0,1
                drift not-desired container/git-gate: is there, but not wanted
                drift not-desired network/link: is there, but not wanted
                drift not-desired volume/bottle-dev-git-gate-config: is there, but not wanted
                """
        )
    }

    @Test("a sidecar beside its namesake is removed; a living agent is not ours to end")
    func twins() throws {
        var world = try World.converged(Sample.unrouted)
        for role in [Role.firewall, .agent] {
            var twin = try #require(world.box(role))
            twin.shell.id = "c-twin-\(role.rawValue)"
            twin.shell.name = "renamed-\(role.rawValue)"
            world.record.names.append(twin.shell.name)
            world.boxes.insert(twin, at: 0)
        }
        let plan = try world.plan()
        #expect(plan.verbs == ["remove container/firewall"])
        #expect(plan.actions[0].target == "c-twin-firewall")
    }

    @Test("a hash of another version is no difference until there is an edit")
    func otherHashVersion() throws {
        var world = try World.converged(Sample.routed)
        world.record.agentIntent = "v0:abc"
        for index in world.boxes.indices { world.boxes[index].shell.labels[Labels.specHash] = "v0:abc" }
        #expect(try world.plan().text == "")
        world.images[Sample.image(.firewall).reference]?.id = "sha256:moved"
        #expect(try world.plan().verbs == ["remove container/firewall", "create container/firewall"])
        world.edit { $0.agent.environment["TZ"] = .literal("CET") }
        #expect(try world.plan().verbs.contains("stop container/agent"))
    }
}
