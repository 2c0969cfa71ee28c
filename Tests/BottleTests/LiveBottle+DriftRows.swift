extension LiveBottle.DriftHealed {
    static let containers = [
        Damage(
            testDescription: "egress-proxy removed",
            line: "docker rm -f bottle-ID-egress-proxy",
            kinds: ["missing"],
            actions: ["create container/egress-proxy"],
            touched: ["egress-proxy"]
        ),
        Damage(
            testDescription: "firewall removed",
            line: "docker rm -f bottle-ID-firewall",
            kinds: ["missing"],
            actions: ["create container/firewall"],
            touched: ["firewall"]
        ),
        Damage(
            testDescription: "agent removed",
            line: "docker rm -f bottle-ID-agent",
            kinds: ["missing"],
            actions: ["create container/agent"],
            touched: ["agent"]
        ),
        Damage(
            testDescription: "all containers removed",
            line: "docker rm -f bottle-ID-firewall bottle-ID-egress-proxy bottle-ID-agent",
            kinds: ["missing", "missing", "missing"],
            actions: ["create container/firewall", "create container/egress-proxy", "create container/agent"],
            touched: ["firewall", "egress-proxy", "agent"]
        ),
        Damage(
            testDescription: "firewall stopped",
            line: "docker stop -t 1 bottle-ID-firewall",
            kinds: ["stopped"],
            actions: ["start container/firewall"],
            touched: ["firewall"]
        ),
        Damage(
            testDescription: "egress-proxy killed by the kernel for memory",
            // The kernel takes the first process before the one that eats.
            line: """
                docker exec bottle-ID-egress-proxy sh -c 'echo 1000 >/proc/1/oom_score_adj
                    exec python3 -c "x = []
                while True: x.append(bytearray(1 << 20))"' || :
                docker wait bottle-ID-egress-proxy
                test "$(docker inspect -f '{{.State.OOMKilled}}' bottle-ID-egress-proxy)" = true
                """,
            kinds: ["stopped"],
            actions: ["start container/egress-proxy"],
            touched: ["egress-proxy"]
        ),
        Damage(
            testDescription: "egress-proxy paused",
            line: BottleFixture.freezing("bottle-ID-egress-proxy"),
            kinds: ["paused"],
            actions: ["unpause container/egress-proxy"]
        ),
        Damage(
            testDescription: "agent paused",
            line: BottleFixture.freezing("bottle-ID-agent"),
            kinds: ["paused"],
            actions: ["unpause container/agent"]
        ),
        Damage(
            testDescription: "firewall renamed",
            line: "docker rename bottle-ID-firewall bottle-ID-other",
            kinds: ["renamed"],
            actions: ["remove container/firewall", "create container/firewall"],
            touched: ["firewall"]
        ),
    ]

    static let networks = [
        Damage(
            testDescription: "egress-proxy off its link",
            line: "docker network disconnect -f bottle-ID-link bottle-ID-egress-proxy",
            kinds: ["disconnected"],
            actions: ["connect container/egress-proxy"]
        ),
        Damage(
            testDescription: "egress-proxy off the agent's network",
            line: "docker network disconnect -f bottle-ID-internal bottle-ID-egress-proxy",
            kinds: ["disconnected"],
            actions: ["connect container/egress-proxy", "restart container/egress-proxy"],
            touched: ["egress-proxy"]
        ),
        Damage(
            testDescription: "firewall off its clients' network",
            // Its supervisor sees it within a second or two and ends.
            line: "docker network disconnect -f bottle-ID-link bottle-ID-firewall; docker wait bottle-ID-firewall",
            kinds: ["disconnected", "stopped"],
            actions: ["connect container/firewall", "start container/firewall"],
            touched: ["firewall"]
        ),
        Damage(
            testDescription: "firewall off the network out",
            line: "docker network disconnect -f NET bottle-ID-firewall",
            kinds: ["disconnected"],
            actions: ["connect container/firewall"]
        ),
        Damage(
            testDescription: "agent off its network",
            line: "docker network disconnect -f bottle-ID-internal bottle-ID-agent",
            kinds: ["disconnected"],
            actions: ["connect container/agent"]
        ),
        Damage(
            testDescription: "agent on Docker's bridge",
            line: "docker network connect bridge bottle-ID-agent",
            kinds: ["foreign-network"],
            actions: ["disconnect container/agent"]
        ),
        Damage(
            testDescription: "agent on Docker's bridge while the firewall is down",
            line: "docker stop -t 1 bottle-ID-firewall; docker network connect bridge bottle-ID-agent",
            kinds: ["foreign-network", "stopped"],
            actions: ["disconnect container/agent", "start container/firewall"],
            touched: ["firewall"]
        ),
        Damage(
            testDescription: "agent on the network out",
            line: "docker network connect NET bottle-ID-agent",
            kinds: ["foreign-network"],
            actions: ["disconnect container/agent"]
        ),
        Damage(
            testDescription: "egress-proxy on Docker's bridge",
            line: "docker network connect bridge bottle-ID-egress-proxy",
            kinds: ["foreign-network"],
            actions: ["disconnect container/egress-proxy"]
        ),
        Damage(
            testDescription: "link removed from under running sidecars",
            line: """
                for sidecar in egress-proxy firewall; do
                    docker network disconnect -f bottle-ID-link bottle-ID-$sidecar
                done
                docker network rm bottle-ID-link
                docker wait bottle-ID-firewall
                """,
            kinds: ["missing", "stopped"],
            actions: [
                "create network/link", "connect container/firewall", "start container/firewall",
                "connect container/egress-proxy",
            ],
            touched: ["firewall"],
            networks: ["link"]
        ),
        Damage(
            testDescription: "link removed while its containers were stopped, whose network ids dangle",
            line: "docker stop -t 1 bottle-ID-egress-proxy bottle-ID-firewall; docker network rm bottle-ID-link",
            kinds: ["network-gone", "network-gone", "missing"],
            actions: [
                "remove container/firewall", "remove container/egress-proxy", "create network/link",
                "create container/firewall", "create container/egress-proxy",
            ],
            touched: ["firewall", "egress-proxy"],
            networks: ["link"]
        ),
    ]

    static let files = [
        Damage(
            testDescription: "routes edited in the sidecar",
            line: "docker exec bottle-ID-egress-proxy sh -c 'echo >>/etc/egress-proxy/routes.yaml'",
            kinds: ["file-changed"],
            actions: ["copy container/egress-proxy", "signal container/egress-proxy"]
        ),
        Damage(
            testDescription: "routes edited from outside, without an event",
            line: outside("echo >>routes.yaml"),
            kinds: ["file-changed"],
            actions: ["copy container/egress-proxy", "signal container/egress-proxy"]
        ),
        Damage(
            testDescription: "mode of the routes changed",
            line: "docker exec bottle-ID-egress-proxy chmod 666 /etc/egress-proxy/routes.yaml",
            kinds: ["file-changed"],
            actions: ["copy container/egress-proxy", "signal container/egress-proxy"]
        ),
        Damage(
            testDescription: "mode of the key changed",
            line: "docker exec bottle-ID-egress-proxy chmod 444 /etc/egress-proxy/ca.pem",
            kinds: ["file-changed"],
            actions: [
                "stop container/egress-proxy", "copy container/egress-proxy", "start container/egress-proxy",
            ],
            touched: ["egress-proxy"]
        ),
        Damage(
            testDescription: "allowlist gone from the sidecar",
            line: "docker exec bottle-ID-firewall rm /etc/firewall/allowlist",
            kinds: ["file-missing"],
            actions: ["copy container/firewall", "signal container/firewall"]
        ),
        Damage(
            testDescription: "CA overwritten in the agent",
            line: "docker exec -u root bottle-ID-agent sh -c 'echo >/etc/bottle/ca-bundle.pem'",
            kinds: ["file-changed"],
            actions: ["copy container/agent"]
        ),
        Damage(
            testDescription: "allowlist right, but another in force that allows more",
            line: loading("echo evil.bt.test 443 >>allowlist", "allowlist", in: "firewall"),
            kinds: ["other-generation"],
            actions: ["restart container/firewall"],
            touched: ["firewall"]
        ),
        Damage(
            testDescription: "routes right, but others in force",
            line: loading("sed -i s/docs.bt.test/evil.bt.test/ routes.yaml", "routes.yaml", in: "egress-proxy"),
            kinds: ["other-generation"],
            actions: ["signal container/egress-proxy"]
        ),
    ]

    static let limits = [
        Damage(
            testDescription: "egress-proxy with less memory",
            line: "docker update --memory 128m --memory-swap 128m bottle-ID-egress-proxy",
            kinds: ["limits-changed"],
            actions: ["update container/egress-proxy"]
        ),
        Damage(
            testDescription: "firewall with other cpus and pids",
            line: "docker update --cpus 0.3 --pids-limit 99 bottle-ID-firewall",
            kinds: ["limits-changed"],
            actions: ["update container/firewall"]
        ),
        Damage(
            testDescription: "firewall with another restart policy",
            line: "docker update --restart always bottle-ID-firewall",
            kinds: ["limits-changed"],
            actions: ["update container/firewall"]
        ),
    ]

    /// A line that does something in the egress-proxy's folder from another container, of which the engine tells
    /// nothing: as the program itself would.
    static func outside(_ command: String) -> String {
        "docker run --rm --network none -u root -w /config -v bottle-ID-egress-proxy-config:/config bottle/agent "
            + "sh -ec '\(command)'"
    }

    /// A line that edits a file, waits until that is in force, and puts the right file back without a word.
    private static func loading(_ edit: String, _ file: String, in role: String) -> String {
        """
        in_force() { docker exec bottle-ID-\(role) readlink /run/bottle/loaded; }
        before=$(in_force)
        docker exec -w /etc/\(role) bottle-ID-\(role) sh -ec 'cp -p \(file) keep; \(edit)'
        docker kill -s HUP bottle-ID-\(role)
        for i in $(seq 100); do [ "$(in_force)" = "$before" ] || break; sleep 0.1; done
        [ "$(in_force)" != "$before" ]
        docker exec -w /etc/\(role) bottle-ID-\(role) mv keep \(file)
        """
    }
}
