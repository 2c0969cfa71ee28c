# shellcheck shell=bash disable=SC2154
# With nothing to do: what a look at the engine's lists takes, beside few containers and many, and an idle minute.

crowd_label=dev.bottle.identity=$name-crowd

# have_bottles COUNT: so many bottles' worth of containers that were made and never started; they are no bottles of ours.
have_bottles() {
    local i role labels
    labels="--label=bottle-bench=yes --label=$crowd_label --label=dev.bottle.managed-by=bottle"
    labels+=" --label=dev.bottle.installation=bench"
    for ((i = made + 1; i <= $1; i++)); do
        for role in agent egress-proxy firewall; do
            echo "--name=$prefix-crowd-$i-$role $labels --label=dev.bottle.role=$role --network=none $firewall_image"
        done
    done | xargs -r -P 3 -L 1 docker create >/dev/null
    made=$1
}

quiet_down() { docker ps -aq --filter label=bottle-bench=yes --filter "label=$crowd_label" | xargs -r docker rm -f >/dev/null; }

# Nanoseconds of processor time of a process.
processor_time() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }

# looks BOTTLES: a look each second, for ten; every engine call is told in run.errors.
looks() {
    local before after spent
    start_controller --interval 1 --sweep 86400 --verbose
    before=$(wc -l <"$folder/run.errors")
    spent=$(processor_time "$controller")
    sleep 10
    spent=$(($(processor_time "$controller") - spent))
    after=$(wc -l <"$folder/run.errors")
    stop_controller
    # A look is the calls up to the next list of containers; the calls go side by side, so the slowest counts.
    head -n "$after" "$folder/run.errors" | tail -n "+$((before + 1))" | grep '^engine: ' |
        jq -Rsc --argjson bottles "$1" --argjson nanoseconds "$spent" '
            [split("\n")[] | select(. != "") | capture("^engine: (?<call>\\S+ [^ ?]+).* (?<ms>[0-9.]+) ms$") | .ms |= tonumber]
            | {bottles: $bottles, looks: (map(select(.call | contains("/containers/json"))) | length)} as $facts
            | $facts + {calls: (length / $facts.looks), kinds: (map(.call | sub("/v[0-9.]+"; "")) | unique),
                slowestCallMs: (group_by(.call) | map(map(.ms) | add / length) | max),
                processorMsASecond: ($nanoseconds / 1e7)}' >>"$folder/facts-looks"
}

idle() {
    local ticks hertz status
    note 'an idle minute'
    start_controller
    hertz=$(getconf CLK_TCK)
    ticks=$(awk '{ print $14 + $15 }' "/proc/$controller/stat")
    sleep 60
    ticks=$(($(awk '{ print $14 + $15 }' "/proc/$controller/stat") - ticks))
    status=$(awk '/^VmRSS|^VmHWM/ { print $2 }' "/proc/$controller/status" | sort -n | tail -n 1)
    stop_controller
    jq -nc --argjson ticks "$ticks" --argjson hertz "$hertz" --argjson kib "$status" \
        '{seconds: 60, percentOfACore: ($ticks / $hertz / 60 * 100), mostMiB: ($kib / 1024)}' >"$folder/facts-idle"
}

measure_quiet() {
    local count
    [[ -r /proc/self/stat ]] || { note 'without /proc nothing tells what the controller takes; left out'; return; }
    write_bottle quiet /v1/
    apply >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "the bottle can't be made"; }
    idle
    made=0
    for count in 0 50 200; do
        note "quiet looks beside $count bottles' worth of containers"
        have_bottles "$count"
        looks "$((count > 0 ? count : 1))"
    done
    quiet_down
}
