# shellcheck shell=bash disable=SC2154
# The same bottle by docker compose v2, in turn: one of them is up at a time, so that both have the same addresses.

peer=$prefix-peer

docker compose version >/dev/null 2>&1 || export DOCKER_CONFIG=$cache/compose

# Version 2 of docker compose: the machine's, else Debian's, which a container of the base image fetches.
find_compose() {
    local plugin=$cache/compose/cli-plugins/docker-compose
    if [[ ${DOCKER_CONFIG:-} == "$cache/compose" && ! -x $plugin ]]; then
        note "fetching docker compose"
        mkdir -p "${plugin%/*}"
        # shellcheck disable=SC2016
        docker run --rm --name "$prefix-compose" --label bottle-bench=yes debian:trixie-slim sh -ec 'cd /tmp
            { apt-get update -qq && apt-get download -qq docker-compose; } >&2
            dpkg-deb --fsys-tarfile docker-compose_*.deb | tar -xO ./usr/libexec/docker/cli-plugins/docker-compose' \
            >"$plugin.tmp" 2>"$folder/compose.log" || { cat "$folder/compose.log" >&2; die "docker compose can't be fetched"; }
        chmod +x "$plugin.tmp"
        mv "$plugin.tmp" "$plugin"
    fi
    docker compose version >/dev/null || die "docker compose v2 is needed, as a plugin of docker"
}

# write_bottle VARIABLE PATH…: the manifest, with a variable of the agent's and what the route allows.
write_bottle() {
    local paths
    paths=$(printf '%s, ' "${@:2}")
    cat >"$folder/bottle.yaml" <<END
apiVersion: bottle/v1
kind: Bottle
metadata: {name: $name}
spec:
  agent: {image: bottle/agent, command: [sleep, infinity], env: {BENCH: "$1"}}
  egress:
    firewall: squid
    network: $outer
    private: [$subnet]
    trust: [$folder/server.pem]
  egress_proxy:
    routes:
      - host: $host
        methods: any
        auth: {scheme: Bearer, token_ref: BENCH_TOKEN}
        path_allowlist: [${paths%, }]
END
}

compose() { docker compose --project-name "$peer" --file "$folder/peer/compose.yaml" "$@"; }
compose_down() {
    [[ -s $folder/peer/compose.yaml ]] || return 0
    if compose down --volumes >"$folder/out.log" 2>&1; then rm -rf "$folder/peer"; else cat "$folder/out.log" >&2; fi
}

# The peer's files and its compose.yaml, from the bottle that is up.
write_peer() {
    local role containers=("$prefix-agent" "$prefix-egress-proxy" "$prefix-firewall")
    rm -rf "$folder/peer"
    mkdir -p "$folder/peer"
    while read -r role path; do
        docker cp "$prefix-$role:$path" "$folder/peer/$role" >/dev/null
    done <<<"agent /etc/bottle
egress-proxy /etc/egress-proxy
firewall /etc/firewall"
    # The containers' users are not this one.
    chmod -R a+rX "$folder/peer"
    docker inspect "${containers[@]}" >"$folder/peer/containers.json"
    docker network inspect "$prefix-internal" "$prefix-link" "$outer" >"$folder/peer/networks.json"
    jq -n --slurpfile containers "$folder/peer/containers.json" --slurpfile networks "$folder/peer/networks.json" \
        '{containers: $containers[0], networks: $networks[0]}' >"$folder/peer/world.json"
    jq --arg name "$name" --arg files "$folder/peer" -f "$scripts/bench-loop.d/peer.jq" "$folder/peer/world.json" \
        >"$folder/peer/compose.yaml"
}

# effective WAY CONTAINER PATH COMMAND…: from the command's start until a request that was refused before reaches the
# server. The client in the agent's container asks again and again from before the command on.
effective() {
    local begun answered
    # shellcheck disable=SC2016
    docker exec "$2" sh -c 'end=$(($(date +%s) + 60))
        while [ "$(date +%s)" -lt "$end" ]; do
            case $(curl -so /dev/null -w "%{http_code}" --max-time 2 "$1") in 403 | 000 | 502) sleep 0.01 ;; *) date +%s%N; exit ;; esac
        done' - "https://$host$3" >"$folder/answered" &
    sleep 0.3
    begun=$(now)
    "${@:4}" >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "the change of a route failed: $1"; }
    wait $!
    answered=$(<"$folder/answered")
    [[ -n $answered ]] || die "the new route never answered: $1"
    keep route "$1" $((answered / 1000 - begun))
}

# The peer's route changes in the file that its egress-proxy mounts.
allow_in_peer() {
    local routes=$folder/peer/egress-proxy/routes.yaml
    jq --arg path "$1" '.routes[0].paths += [$path]' "$routes" >"$folder/routes"
    cat "$folder/routes" >"$routes"
}

change_bottle() { write_bottle "$1" /v1/ "/bottle-$1/"; }
recreate_peer() { allow_in_peer "/peer-$1/" && compose up -d --wait --no-deps --force-recreate egress-proxy; }
signal_peer() { allow_in_peer "/signal-$1/" && compose kill --signal HUP egress-proxy; }

round_of_bottle() {
    write_bottle "$1-0" /v1/
    timed cold bottle apply
    for _ in 1 2 3; do timed no-op bottle apply; done
    write_bottle "$1" /v1/
    timed variable bottle apply
    change_bottle "$1"
    effective bottle "$prefix-agent" "/bottle-$1/" apply
    [[ $1 != 0 ]] || write_peer
    timed down bottle delete "$name"
}

round_of_peer() {
    BENCH=$1-0 timed cold compose compose up -d --wait
    for _ in 1 2 3; do BENCH=$1-0 timed no-op compose compose up -d; done
    export BENCH=$1
    timed variable compose compose up -d --wait
    effective compose "$peer-agent-1" "/peer-$1/" recreate_peer "$1"
    effective signal "$peer-agent-1" "/signal-$1/" signal_peer "$1"
    unset BENCH
    timed down compose compose down --volumes
}

measure_compose() {
    local round
    find_compose
    compose_version=$(docker compose version --short)
    printf '%s\n' "$compose_version" >"$folder/facts-compose"
    note "beside docker compose $compose_version"
    round_of_bottle 0  # the peer is made of it; and both begin with warm caches
    round_of_peer 0
    rm -f "$folder"/samples-*
    for ((round = 1; round <= rounds; round++)); do
        note "round $round of $rounds"
        round_of_bottle "$round"
        round_of_peer "$round"
    done
}
