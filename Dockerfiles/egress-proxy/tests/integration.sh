#!/bin/sh
# Tests the image on a real engine, confined as bottle runs it: an agent's curl, the proxy and a TLS server, on networks
# of their own. Prints one line per check; the status is 1 when a check failed. tests/run must have built the images
# (IMAGE, default bottle-test/egress-proxy). BULK is the size of the large bodies, in bytes. Removes what it made.
set -u
IMAGE=${IMAGE:-bottle-test/egress-proxy}
BULK=${BULK:-1000000000}
p=ep-it-$$
net=10.251.$(($$ % 250))
failed=0

# shellcheck disable=SC2317 # called by the trap
clean() {
    docker rm -f -v "$p-proxy" "$p-server" "$p-agent" "$p-foreign" "$p-plain" >/dev/null 2>&1
    docker volume rm "$p-config" "$p-run" >/dev/null 2>&1
    docker network rm "$p-in" "$p-out" >/dev/null 2>&1
    rm -rf "$work"
}
work=$(mktemp -d)
trap clean EXIT
trap 'exit 1' INT TERM

check() { # check NAME EXPECTED OBSERVED
    if [ "$2" = "$3" ]; then
        echo "ok    $1"
    else
        echo "FAIL  $1: expected '$2', observed '$3'"
        failed=1
    fi
}
agent() { docker exec "$p-agent" "$@"; }
fetch() { # fetch CURL-ARGUMENTS: the status
    agent curl -s -o /tmp/body -w '%{http_code}' --max-time 10 --cacert /tmp/bottle-cert.pem \
        -x "http://$net.2:9099" "$@"
}
field() { agent /opt/venv/bin/python -c "import json;print(json.load(open('/tmp/body')).get('$1'))"; }
link() { docker exec "$p-proxy" readlink /run/bottle/loaded; }
put() { # put FILE: into the config volume, as the reconciler does
    tar -C "$work" --owner=9099 --group=9099 --mode="${2:-0644}" -cf - "$1" | docker cp - "$p-proxy:/etc/egress-proxy"
}
generation() {
    printf '%s  /etc/egress-proxy/routes.yaml\n' "$(sha256sum "$work/routes.yaml" | cut -d' ' -f1)" \
        | sha256sum | cut -d' ' -f1
}
routes() { # routes PATH
    cat >"$work/routes.yaml" <<JSON
{"version":1,"routes":[{"host":"api.test.example","port":443,"methods":["GET"],"paths":["$1"],
"auth":{"header":"Authorization","scheme":"token","slot":"BOTTLE_CREDENTIAL_API"},"client_auth":false,"websocket":false}],
"allowlist":["raw.test.example"]}
JSON
}
granted() { # granted NUMBER: one request to the host of the allowlist
    cat >"$work/routes.yaml" <<JSON
{"version":1,"routes":[{"host":"api.test.example","port":443,"methods":null,"paths":[],"auth":null,"client_auth":false,
"websocket":false},{"host":"raw.test.example","port":443,"methods":null,"paths":[],"auth":null,"client_auth":false,
"websocket":false,"grant":{"id":"dev/$1","not_after":null,"max_uses":1}}],"allowlist":[]}
JSON
}
hundred() { # hundred URL: the statuses of a hundred requests at once, counted
    agent sh -c "for i in \$(seq 100); do curl -s -o /dev/null -w '%{http_code}\n' --max-time 60 \
        --cacert /tmp/bottle-cert.pem -x http://$net.2:9099 $1 & done; wait" | sort | uniq -c | xargs
}
reload() { # reload: copy, signal, wait for a new link; prints milliseconds
    docker exec "$p-proxy" stat -c %y /run/bottle/loaded >"$work/before"
    put routes.yaml
    started=$(date +%s%N)
    docker kill -s HUP "$p-proxy" >/dev/null
    for _ in $(seq 50); do
        docker exec "$p-proxy" stat -c %y /run/bottle/loaded | cmp -s - "$work/before" || break
    done
    echo $((($(date +%s%N) - started) / 1000000))
}

make_proxy() { # make_proxy [--init]: created, not started
    docker create --name "$p-proxy" --network "$p-in" --ip "$net.2" --add-host "api.test.example:$net.19" \
        --add-host "raw.test.example:$net.19" --read-only --cap-drop ALL --security-opt no-new-privileges \
        --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --memory 1280m --memory-swap 1280m --pids-limit 128 \
        -v "$p-config:/etc/egress-proxy" -v "$p-run:/run/bottle" \
        -e "BOTTLE_LISTEN=$net.2:9099" -e BOTTLE_CREDENTIAL_API=s3cret-value "$@" "$IMAGE" >/dev/null &&
        docker network connect --ip "$net.18" "$p-out" "$p-proxy"
}
early_signals() { # early_signals: SIGHUP from the start on; prints the link if the proxy lives and loads
    docker start "$p-proxy" >/dev/null
    for _ in $(seq 40); do docker kill -s HUP "$p-proxy" >/dev/null 2>&1 || break; done
    for _ in $(seq 100); do
        [ "$(link)" = "/$(generation)/ok" ] && break # before, it is the link of the previous run
        sleep 0.1
    done
    [ "$(docker inspect -f '{{.State.Running}}' "$p-proxy")" = true ] && link
}

docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true --subnet "$net.0/28" "$p-in" >/dev/null || exit 1
docker network create --subnet "$net.16/28" "$p-out" >/dev/null || exit 1
docker run -d --init --name "$p-agent" --network "$p-in" --ip "$net.3" "$IMAGE-tests" sleep 600 >/dev/null || exit 1
docker run -d --init --name "$p-server" --network "$p-out" --ip "$net.19" -u 0 "$IMAGE-tests" sleep 600 >/dev/null || exit 1
docker exec -i "$p-server" /opt/venv/bin/python - <<'PY'
import sys
from pathlib import Path
sys.path.insert(0, "/tests")
import world
folder = Path("/tmp")
world.authority(folder, "bottle")
world.leaf(folder, "leaf", ["api.test.example", "raw.test.example"], world.authority(folder, "servers"))
PY
docker exec -d "$p-server" /opt/venv/bin/python /tests/server.py /tmp/leaf.pem "$BULK"
for file in bottle.pem bottle-cert.pem servers-cert.pem; do docker cp "$p-server:/tmp/$file" "$work/" >/dev/null || exit 1; done
docker cp "$work/bottle-cert.pem" "$p-agent:/tmp/" >/dev/null
mv "$work/bottle.pem" "$work/ca.pem"
mv "$work/servers-cert.pem" "$work/upstream-roots.pem"
routes /ok/

make_proxy || exit 1
put ca.pem 0400
put upstream-roots.pem
put routes.yaml
started=$(date +%s%N)
docker start "$p-proxy" >/dev/null
for _ in $(seq 100); do link >/dev/null 2>&1 && break; done
link >/dev/null || { docker logs "$p-proxy"; exit 1; }
echo "info  link written $((($(date +%s%N) - started) / 1000000)) ms after start"
check "the link names the files in force" "/$(generation)/ok" "$(link)"

check "allowed request" 200 "$(fetch -H 'Authorization: mine' -H 'X-Api-Key: mine' https://api.test.example/ok/x)"
check "the server saw the injected credential" yes \
    "$(agent grep -q '"Authorization", "token s3cret-value"' /tmp/body && echo yes)"
check "the client's own credentials were stripped" 0 "$(agent grep -c mine /tmp/body)"
check "allowlist entry" 200 "$(fetch https://raw.test.example/any)"
check "plain HTTP has no credential" 200 "$(fetch http://api.test.example/ok/x)"
check "plain HTTP has no credential at the server" 0 "$(agent grep -c s3cret /tmp/body)"
check "other path" 403 "$(fetch https://api.test.example/no)"
check "the refusal names the rule" path "$(field rule)"
check "the refusal names the tool" egress-proxy-block "$(field tool)"
check "path trick" 403 "$(fetch --path-as-is https://api.test.example/ok/../no)"
check "encoded path trick" 403 "$(fetch --path-as-is https://api.test.example/ok/%2e%2e/no)"
check "other host" 403 "$(fetch https://other.test.example/)"
check "method" 403 "$(fetch -X DELETE https://api.test.example/ok/x)"
check "push" 403 "$(fetch 'https://raw.test.example/a.git/info/refs?service=git-receive-pack')"
check "push rule" git-push "$(field rule)"
check "Host that differs" 421 "$(fetch -H 'Host: raw.test.example' https://api.test.example/ok/x)"
check "websocket" 403 "$(fetch --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' https://raw.test.example/ws)"
check "events stream" 1 "$(agent sh -c "curl -sN --max-time 1 --cacert /tmp/bottle-cert.pem -x http://$net.2:9099 \
    https://api.test.example/ok/events | grep -c '^data: 1$'")"
check "no way past the proxy" 000 "$(agent curl -s -o /dev/null -w '%{http_code}' --max-time 2 "https://$net.19/")"

routes /other/
echo "info  reload confirmed after $(reload) ms"
check "reload confirmed" "/$(generation)/ok" "$(link)"
check "the new rules hold" 403 "$(fetch https://api.test.example/ok/x)"
check "the new path" 200 "$(fetch https://api.test.example/other/x)"
good=$(generation)
echo '{"version":1}' >"$work/routes.yaml"
reload >/dev/null
check "a bad table is refused and told" "/$good/missing-key/$(generation)" "$(link)"
check "the old rules stay" 200 "$(fetch https://api.test.example/other/x)"

docker logs "$p-proxy" >"$work/log" 2>"$work/errors"
check "every line on standard output is a refusal in JSON" 0 "$(grep -vc '^{"time":"[^"]*","event":"refused",' "$work/log")"
check "standard error says why the bad table was refused" 1 "$(grep -c 'missing-key: file.routes' "$work/errors")"
check "and nothing else" 1 "$(wc -l <"$work/errors")"
check "no secret in the log" 0 "$(cat "$work/log" "$work/errors" | grep -c s3cret)"
check "it does not run as root" 9099 "$(docker exec "$p-proxy" id -u)"
echo "info  memory $(docker stats --no-stream --format '{{.MemUsage}}' "$p-proxy")"

granted 0001
reload >/dev/null
check "of a hundred requests at once one passes by a grant of one" "1 200 99 403" "$(hundred https://raw.test.example/any)"
fetch https://raw.test.example/any >/dev/null
check "the refusal names the grant's rule" grant-used-up "$(field rule)"
check "the count is the proxy's own" "9099 600" "$(docker exec "$p-proxy" stat -c '%u %a' /run/bottle/grants.json)"
check "what has no limits passes" 200 "$(fetch https://api.test.example/x)"
granted 0002
reload >/dev/null
hundred https://raw.test.example/any >"$work/killed" &
sleep 0.3
docker kill "$p-proxy" >/dev/null
wait $!
docker rm -f "$p-proxy" >/dev/null
make_proxy
docker start "$p-proxy" >/dev/null
for _ in $(seq 100); do
    [ "$(fetch https://api.test.example/x)" = 200 ] && break
    sleep 0.1
done
before=$(sed -nE 's/.*\b([0-9]+) 200\b.*/\1/p' "$work/killed")
after=$(fetch https://raw.test.example/any)
check "killed in the middle (${before:-0} passed), created again (then $after), it has let one through at most" yes \
    "$([ $((${before:-0} + (after == 200))) -le 1 ] && echo yes)"
check "and lets no other through" 403 "$(fetch https://raw.test.example/any)"
granted 0001
reload >/dev/null
check "a grant that is named again is still used up" 403 "$(fetch https://raw.test.example/any)"
routes /other/
reload >/dev/null

# A neighbour on the outer network, with a route to the inner one through the proxy's outer address.
docker run -d --init --name "$p-foreign" --network "$p-out" --cap-add NET_ADMIN -u 0 "$IMAGE-tests" sleep 600 >/dev/null
docker exec "$p-foreign" ip route add "$net.0/28" via "$net.18"
docker run -d --name "$p-plain" --network "container:$p-proxy" "$IMAGE-tests" \
    /opt/venv/bin/python -m http.server --bind "$net.2" 9098 >/dev/null
answers() { docker exec "$p-foreign" curl -s -o /dev/null -w '%{http_code}' --retry 5 --retry-connrefused --max-time 5 "$1"; }
check "an ordinary socket on the inner address answers a neighbour on the outer network" 200 "$(answers "http://$net.2:9098/")"
check "the proxy does not" 000 "$(answers "http://$net.2:9099/")"
check "nor on its outer address" 000 "$(answers "http://$net.18:9099/")"
docker rm -f "$p-plain" >/dev/null

# When the network is attached again, the address is on another device: the proxy listens there.
docker network disconnect "$p-in" "$p-proxy"
docker network connect --ip "$net.2" "$p-in" "$p-proxy"
sleep 2
check "it serves again after its network was taken away" 200 "$(fetch https://raw.test.example/any)"

peak() {
    docker exec "$p-proxy" sh -c \
        'cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null' | head -n 1
}
routes /
reload >/dev/null
for kind in connections greetings uploads downloads; do
    mkfifo "$work/$kind"
    docker exec -i "$p-agent" /opt/venv/bin/python /tests/flood.py "$net.2" "$kind" <"$work/$kind" >"$work/$kind.out" 2>&1 &
    exec 3>"$work/$kind"
    for _ in $(seq 240); do
        [ -s "$work/$kind.out" ] && break
        sleep 0.5
    done
    echo "info  $(tail -n 1 "$work/$kind.out"): memory at most $(($(peak) / 1000000)) MB"
    check "while it is held, another is served ($kind)" 200 "$(fetch https://raw.test.example/any)"
    exec 3>&-
    wait $!
done
agent truncate -s "$BULK" /tmp/zeros
transfer() { # transfer CURL-ARGUMENTS: at 10 MB a second at least
    agent curl -s --max-time $((120 + BULK / 10000000)) --cacert /tmp/bottle-cert.pem -x "http://$net.2:9099" "$@"
}
arrived() { transfer -H 'Expect:' -T /tmp/zeros "$@" https://raw.test.example/up | sed 's/.*"size": \([0-9]*\).*/\1/'; }
check "$BULK bytes up" "$BULK" "$(arrived)"
check "$BULK bytes up in chunks" "$BULK" "$(arrived -H 'Transfer-Encoding: chunked')"
check "$BULK bytes down" "$BULK" "$(transfer -o /dev/null -w '%{size_download}' https://raw.test.example/bulk)"
echo "info  memory at most $(($(peak) / 1000000)) MB of 1342"
# Of the container's limit, 512 MiB are for the program: at most three quarters of that for the process, the rest for
# its pages in the kernel. What remains is for sockets, which cgroup 2 also counts.
own=$(docker exec "$p-proxy" awk '/^VmHWM:/ { print int($2 / 1024) }' /proc/1/status)
check "the process ($own MiB at most) keeps within three quarters of 512 MiB" yes "$([ "$own" -le 384 ] && echo yes)"
check "it was neither killed nor restarted" "true false 0" \
    "$(docker inspect -f '{{.State.Running}} {{.State.OOMKilled}} {{.RestartCount}}' "$p-proxy")"
check "no layer crashed" 0 "$(docker logs "$p-proxy" 2>&1 >/dev/null | grep -c '"kind"')"
started=$(date +%s%N)
docker stop -t 5 "$p-proxy" >/dev/null
took=$((($(date +%s%N) - started) / 1000000))
echo "info  stopped in $took ms"
check "it stops on SIGTERM" 0 "$(docker inspect -f '{{.State.ExitCode}}' "$p-proxy")"

routes /ok/
put routes.yaml
check "signals while it starts" "/$(generation)/ok" "$(early_signals)"
docker rm -f "$p-proxy" >/dev/null
make_proxy --init
check "signals while it starts under an init" "/$(generation)/ok" "$(early_signals)"
docker stop -t 5 "$p-proxy" >/dev/null
check "it stops under an init" 0 "$(docker inspect -f '{{.State.ExitCode}}' "$p-proxy")"
exit $failed
