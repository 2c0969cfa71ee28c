# shellcheck shell=bash disable=SC2034,SC2154
# Fifty bottles, and one of them can never be: its image does not build. What that costs the others, those that are
# healed meanwhile and one that comes anew.

good=49
builds_for=3  # seconds, until the build fails

# Bottles of an agent and a network each: enough to be made again, and little besides.
write_crowd() {
    local i
    rm -rf "$folder/crowd" "$folder/broken"
    mkdir -p "$folder/crowd" "$folder/broken/context"
    for ((i = 1; i <= good; i++)); do
        printf '%s\n' 'apiVersion: bottle/v1' 'kind: Bottle' "metadata: {name: $name-$i}" 'spec:' \
            '  agent: {image: bottle/agent, command: [sleep, infinity]}' '  egress: {firewall: none}' >"$folder/crowd/$i.yaml"
    done
    sed "s/$name-1/$name-new/" "$folder/crowd/1.yaml" >"$folder/newcomer.yaml"
    # Its name comes before theirs.
    printf '%s\n' 'apiVersion: bottle/v1' 'kind: Bottle' "metadata: {name: $name-0}" 'spec:' \
        '  agent: {build: {context: context}, command: [sleep, infinity]}' '  egress: {firewall: none}' \
        >"$folder/broken/bottle.yaml"
    printf '%s\n' 'FROM debian:trixie-slim' "RUN sleep $builds_for; echo no such luck; exit 7" >"$folder/broken/context/Dockerfile"
}

# crowd_healed WAY: every container of the crowd is gone; from the controller's start until each of them runs again.
crowd_healed() {
    local begun tries
    docker ps -aq --filter "name=^$prefix-[1-9]" | xargs docker rm -f >/dev/null
    rm -f "$folder/run.log" && touch "$folder/run.log"  # its lines are counted before the controller writes any
    begun=$(now)
    "$executable" run -o json >>"$folder/run.log" 2>"$folder/run.errors" &
    controller=$!  # for stop_controller
    for ((tries = 0; tries < 1200; tries++)); do
        (($(grep -c "\"identity\":\"$name-[1-9]" "$folder/run.log") < good)) || break
        sleep 0.05
    done
    ((tries < 1200)) || die "the crowd was not healed within a minute"
    keep crowd "$1" $(($(now) - begun))
    stop_controller
}

# A new bottle while the build goes on, which ends only after it.
newcomer() {
    "$executable" apply -f "$folder/broken" --yes >"$folder/broken/log" 2>&1 &
    building=$!
    sleep 0.8
    timed newcomer broken "$executable" apply -f "$folder/newcomer.yaml" --yes
    if wait "$building"; then die "the broken bottle was made"; fi
    delete "$name-new" >"$folder/out.log" 2>&1
}

# What is told of the bottle that can't be.
keep_condition() {
    "$executable" get "$name-0" -o json |
        jq -c '.items[0].conditions | map(select(.type == "Ready" or .type == "Degraded"))' >"$folder/facts-condition"
}

measure_crowd() {
    local round
    note "$good bottles, alone and beside one that can't be built"
    write_crowd
    "$executable" apply -f "$folder/crowd" --yes >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "the crowd can't be made"; }
    for ((round = 0; round < (rounds + 1) / 2; round++)); do
        timed newcomer alone "$executable" apply -f "$folder/newcomer.yaml" --yes
        delete "$name-new" >"$folder/out.log" 2>&1
        newcomer
    done
    for ((round = 0; round < (rounds + 1) / 3; round++)); do
        crowd_healed broken
        keep_condition
        delete "$name-0" >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "$name-0 can't be deleted"; }
        crowd_healed alone
        if "$executable" apply -f "$folder/broken" --yes >"$folder/out.log" 2>&1; then die "the broken bottle was made"; fi
    done
}
