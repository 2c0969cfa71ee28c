# shellcheck shell=bash disable=SC2154
# With a controller running: from a sidecar's death, or a file's edit, until it works as declared again.

# start_controller OPTION…: `bottle run`, its lines in $folder/run.log.
start_controller() {
    "$executable" run "$@" >"$folder/run.log" 2>"$folder/run.errors" &
    controller=$!
    # Its first passes look at everything; then it is quiet.
    sleep 3
    kill -0 "$controller" 2>/dev/null || { cat "$folder/run.errors" >&2; die "the controller ended"; }
}

stop_controller() {
    [[ -n ${controller:-} ]] || return 0
    kill -TERM "$controller" 2>/dev/null || :
    wait "$controller" 2>/dev/null || :
    controller=
    [[ -n ${follower:-} ]] || return 0
    kill -TERM "$follower" 2>/dev/null || :
    follower=
}

# pass_ended LINES: waits for a pass that is told after so many lines of run.log.
pass_ended() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        (($(wc -l <"$folder/run.log") <= $1)) || return 0
        sleep 0.05
    done
    die "the controller did not heal it within 30 s"
}

# moment ROLE KIND PATH: microseconds since 1970 at which a path was written (Y) or last changed in any way (Z).
moment() { docker exec "$prefix-$1" stat -c "%.6$2" "$3" | tr -d .; }

link=/run/bottle/loaded

# loaded_after MOMENT ROLE WHAT: when it said, after that moment, that it has loaded that.
loaded_after() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if (($(moment "$2" Y $link) > $1)) && [[ $(docker exec "$prefix-$2" readlink $link) == "$3" ]]; then
            moment "$2" Y $link
            return
        fi
        sleep 0.1
    done
    die "$2 did not load its files"
}

# since MOMENT ROLE ACTION: when the engine told of it, in microseconds; the first time after MOMENT.
since() {
    awk -v after="$1" -v name="$prefix-$2" -v action="$3" \
        '$1 / 1000 >= after && $2 == name && $3 == action { printf "%.0f\n", $1 / 1000; exit }' "$folder/events.log"
}

# Follows the engine's events: it keeps the last 256 only, and looks at files make more than that in a minute.
follow_events() {
    docker events --filter event=die --filter event=start --format '{{.TimeNano}} {{.Actor.Attributes.name}} {{.Action}}' \
        >"$folder/events.log" &
    follower=$!
}

# What a sidecar needs by itself, from the command to start it until it says that it has loaded its files.
own_start() {
    local begun loaded wanted
    wanted=$(docker exec "$prefix-$1" readlink $link)
    docker kill "$prefix-$1" >/dev/null
    begun=$(now)
    docker start "$prefix-$1" >/dev/null
    sleep 1  # it needs about that long; a look at it would take processor time from it
    loaded=$(loaded_after "$begun" "$1" "$wanted")
    keep "start-$1" alone $((loaded - begun))
}

killed() {
    local container=$prefix-$1 begun died loaded lines wanted
    wanted=$(docker exec "$container" readlink $link)
    lines=$(wc -l <"$folder/run.log")
    begun=$(now)
    docker kill "$container" >/dev/null
    pass_ended "$lines"
    died=$(since "$begun" "$1" die)
    loaded=$(loaded_after "$died" "$1" "$wanted")
    keep "running-$1" controller $(($(since "$died" "$1" start) - died))
    keep "healed-$1" controller $((loaded - died))
}

# edited ROLE FILE EXPRESSION: with sed; what it has loaded stays right.
edited() {
    local at lines
    lines=$(wc -l <"$folder/run.log")
    at=$(docker exec "$prefix-$1" sh -c 'sed -i "$2" "$1" && date +%s%N' - "$2" "$3")
    pass_ended "$lines"
    keep "restored-$1" controller $(($(moment "$1" Z "$2") - at / 1000))
}

# loaded_too ROLE FILE EXPRESSION: edited, and the program told to load it.
loaded_too() {
    local at lines wanted restored loaded
    wanted=$(docker exec "$prefix-$1" readlink $link)
    lines=$(wc -l <"$folder/run.log")
    at=$(docker exec "$prefix-$1" sh -c 'sed -i "$2" "$1" && date +%s%N && kill -HUP 1' - "$2" "$3")
    pass_ended "$lines"
    loaded=$(loaded_after $((at / 1000)) "$1" "$wanted")
    restored=$(moment "$1" Z "$2")
    keep "reloaded-$1" controller $(((restored > loaded ? restored : loaded) - at / 1000))
}

measure_heal() {
    local times=$((rounds * 2)) i
    note "with a controller: $times deaths and edits of each sidecar"
    write_bottle heal /v1/
    apply >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "the bottle can't be made"; }
    for ((i = 0; i < times; i++)); do
        own_start egress-proxy
        own_start firewall
    done
    apply >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "the bottle can't be mended"; }
    start_controller -o json
    follow_events
    for ((i = 0; i < times; i++)); do
        killed egress-proxy
        edited firewall /etc/firewall/allowlist '$ a evil.example 443'
        killed firewall
        loaded_too egress-proxy /etc/egress-proxy/routes.yaml 's,"/v1/","/v1/"\, "/evil/",'
    done
    stop_controller
}
