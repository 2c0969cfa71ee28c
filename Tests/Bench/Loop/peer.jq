# A compose file of what `docker inspect` says of a bottle's containers and networks: the same images, commands,
# variables, limits, hardening, networks and addresses. What the bottle copies into its containers, the peer mounts from
# $files/<role>; what it waits for (the link by which a sidecar says what it loaded) is the peer's health check.
# input: {containers: […], networks: […]}; $name: the bottle's; $files: a folder

def role: .Config.Labels["dev.bottle.role"];
def network_role: sub("^bottle-\($name)-"; "");
def escaped: gsub("\\$"; "$$");
# Where the bottle's own files are, by role.
def given: {"egress-proxy": "/etc/egress-proxy", firewall: "/etc/firewall", agent: "/etc/bottle"};

def volumes:
    role as $role
    | [{type: "bind", source: "\($files)/\($role)", target: given[$role], read_only: true}]
    + [.Mounts[] | select(.Type == "volume" and .Destination != given[$role])
        | {type: "volume", source: (.Name | network_role), target: .Destination}];

def health:
    if role == "agent" then {depends_on: {
        "egress-proxy": {condition: "service_healthy"}, firewall: {condition: "service_healthy"}}}
    else {healthcheck: {test: ["CMD", "test", "-L", "/run/bottle/loaded"], interval: "500ms", retries: 60}} end;

def environment:
    [.Config.Env[] | escaped]
    # What the bench changes.
    | map(if startswith("BENCH=") then "BENCH=${BENCH:-0}" else . end);

. as $world
| {
    services: ([.containers[] | {key: role, value: ({
        image: .Image,
        pull_policy: "never",
        command: .Config.Cmd,
        environment: environment,
        user: .Config.User,
        hostname: .Config.Hostname,
        tty: .Config.Tty,
        stdin_open: .Config.OpenStdin,
        init: (.HostConfig.Init // false),
        read_only: .HostConfig.ReadonlyRootfs,
        cap_drop: .HostConfig.CapDrop,
        security_opt: .HostConfig.SecurityOpt,
        mem_limit: .HostConfig.Memory,
        memswap_limit: .HostConfig.MemorySwap,
        cpus: (.HostConfig.NanoCpus / 1e9),
        pids_limit: .HostConfig.PidsLimit,
        ulimits: (.HostConfig.Ulimits | map({key: .Name, value: {soft: .Soft, hard: .Hard}}) | from_entries),
        logging: {driver: .HostConfig.LogConfig.Type, options: .HostConfig.LogConfig.Config},
        restart: "no",
        tmpfs: (.HostConfig.Tmpfs // {} | to_entries | map("\(.key):\(.value)")),
        dns: (.HostConfig.Dns // []),
        dns_opt: (.HostConfig.DnsOptions // []),
        sysctls: (.HostConfig.Sysctls // {}),
        stop_grace_period: "\(.Config.StopTimeout)s",
        volumes: volumes,
        networks: (role as $role | .NetworkSettings.Networks | with_entries(
            .key |= network_role | .value |= {ipv4_address: .IPAddress, aliases: [$role]}))
    } + health | del(.[] | select(. == 0 or . == null or . == [] or . == {})))}] | from_entries),
    networks: ([.networks[] | {key: (.Name | network_role), value:
        (if .Labels["dev.bottle.identity"] == $name
         then {internal: .Internal, driver_opts: .Options, ipam: {config: [{subnet: .IPAM.Config[0].Subnet}]}}
         else {external: true, name: .Name} end)}] | from_entries),
    volumes: ([.containers[] | volumes[] | select(.type == "volume") | {key: .source, value: {}}] | from_entries)
}
