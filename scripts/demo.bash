# shellcheck shell=bash
# scripts/demo and scripts/demo-attempts source this file: requests from inside the agent, and the table of results.

: "${scripts:?}" "${RUN:=}"
agent=bottle-demo-agent
rows_failed=0

heading() { printf '\n%-50s %-15s %-15s %-32s %s\n' "$1" expected happened 'servers saw' verdict; }

# row NAME EXPECTED HAPPENED EXPECTED-SEEN SEEN: prints one line of the table. EXPECTED may be "this or that".
row() {
    local verdict=ok
    if [[ " or $2 or " != *" or $3 or "* || $4 != "$5" ]]; then
        verdict=NOT-AS-EXPECTED
        rows_failed=$((rows_failed + 1))
    fi
    printf '%-50s %-15s %-15s %-32s %s\n' "$1" "$2" "$3" "$5" "$verdict"
    if [[ $4 != "$5" ]]; then printf '%50s the servers should have seen: %s\n' '' "$4"; fi
}

# Runs curl in the agent and prints the outcome in one or two words: a status, or how far it came.
request() {
    local out code connect exit_code connected looked_up
    out=$(docker exec "$agent" curl -s -o /dev/null --path-as-is --connect-timeout 2 --max-time 20 \
        -w '%{http_code} %{http_connect} %{exitcode} %{time_connect} %{time_namelookup}' "$@") || :
    read -r code connect exit_code connected looked_up <<<"$out" || :
    case ${out:+$code}/${exit_code:-} in
        /*) echo 'curl did not run' ;;
        000/6) echo 'no such name' ;;
        000/*)
            if [[ $connect != 000 ]]; then
                echo "$connect"
            elif [[ $looked_up == 0.000000 ]]; then
                echo 'no such name'
            elif [[ $connected == 0.000000 ]]; then
                echo 'no connection'
            else
                echo "cut off (curl $exit_code)"
            fi
            ;;
        *) echo "$code" ;;
    esac
}

# Prints in words what the servers saw of the requests with a mark. If a line is expected, it waits for one, because
# the servers log after they have answered.
seen() {
    local mark=$1 expected=$2 lines='' tries
    for ((tries = 0; tries < 10; tries++)); do
        lines=$("$scripts/demo-internet" seen "$mark")
        if [[ -n $lines || $expected == nothing ]]; then break; fi
        sleep 0.2
    done
    # The token comes through the environment: every process of the machine can read an argument.
    jq -rs '
        def credential:
            if .authorization == "Bearer " + env.DEMO_TOKEN then "injected credential"
            elif .authorization == "" then "no credential"
            else "a foreign Authorization" end
            + (if .cookie != "" then ", a cookie" else "" end)
            + (if .x_api_key != "" then ", an API key" else "" end);
        if length == 0 then "nothing"
        else "\(length) request\(if length == 1 then "" else "s" end), \(map(credential) | unique | join(" / "))" end
    ' <<<"$lines"
}

# attempt NAME EXPECTED EXPECTED-SEEN CURL-ARGUMENT…: requests and prints a row; @MARK@ in an argument becomes its mark.
attempts=0
marks_of_refused=()
attempt() {
    local name=$1 expected=$2 expected_seen=$3 mark happened
    attempts=$((attempts + 1))
    mark=try-$RUN-${0##*/}-$attempts-
    shift 3
    happened=$(request "${@//@MARK@/$mark}")
    if [[ $expected_seen == nothing ]]; then marks_of_refused+=("$mark"); fi
    row "$name" "$expected" "$happened" "$expected_seen" "$(seen "$mark" "$expected_seen")"
}

# Prints name, id and start time of each given container of the bottle, to see whether it was replaced or restarted.
lives() { docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}' "${@/#/bottle-demo-}" 2>/dev/null || :; }
