# shellcheck shell=bash
# Sourced by the benches: a server of their own, what they make on the engine, and samples.
# They set, before they call anything here: folder (of the run), prefix (of names on the engine), host (of the server).
# shellcheck disable=SC2034,SC2154

# The server and the clients of the benches.
tools=bottle/bench-walls

egress_proxy_image=${BENCH_EGRESS_PROXY:-bottle/egress-proxy}
firewall_image=${BENCH_FIREWALL:-bottle/firewall}

# Puts the images that are named in the place of this checkout's, and builds the others with an executable.
prepare_images() {
    local named=() list
    [[ -z ${BENCH_EGRESS_PROXY:-} ]] || named+=("egress-proxy: $BENCH_EGRESS_PROXY")
    [[ -z ${BENCH_FIREWALL:-} ]] || named+=("firewall: $BENCH_FIREWALL")
    list=$(printf ', %s' "${named[@]}")
    mkdir -p "$XDG_CONFIG_HOME/bottle"
    echo "images: {${list#, }}" >"$XDG_CONFIG_HOME/bottle/config.yaml"
    ((${#named[@]} > 0)) || rm "$XDG_CONFIG_HOME/bottle/config.yaml"
    "$scripts/base-image"
    ((${#named[@]} == 2)) || "$1" images build >&2
}

build() { # build TAG CONTEXT: quiet unless it fails
    DOCKER_BUILDKIT=0 docker build --tag "$1" "$2" >"$folder/build.log" 2>&1 || { cat "$folder/build.log" >&2; die "$1 can't be built"; }
}

make_network() { # make_network NAME [OPTION…]: prints the subnet
    local subnet error second
    for second in 240 241 242 243 244 245 246 247; do
        subnet=10.$second.$((RANDOM % 256)).0/24
        if error=$(docker network create --label bottle-bench=yes --subnet "$subnet" "$@" 2>&1 >/dev/null); then
            echo "$subnet"
            return
        fi
        [[ $error == *overlap* ]] || die "$error"
    done
    die "$error"
}

create() { # create NAME OPTION…: a container of the bench's own, not started
    docker create --name "$prefix-$1" --label bottle-bench=yes "${@:2}" >/dev/null
}

# give NAME FOLDER FILE…: puts files of $folder into a container, each as NAME-IN-FOLDER=NAME-THERE.
give() {
    local pair there=$2 container=$prefix-$1
    for pair in "${@:3}"; do docker cp "$folder/${pair%%=*}" "$container:$there/${pair#*=}" >/dev/null; done
}

# start_server NETWORK: HTTPS under the name $host; its certificate is $folder/server.pem.
start_server() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=bottle bench' \
        -addext "subjectAltName = DNS:$host" -keyout "$folder/server.key" -out "$folder/server.pem" 2>/dev/null
    create server --network "$1" --network-alias "$host" --tmpfs /srv "$tools"
    give server /etc/nginx/bench server.pem=server.pem server.key=server.key
    docker start "$prefix-server" >/dev/null
}

remove_containers() { # remove_containers NAME…: those of the bench's own that are there
    local each
    for each in "$@"; do
        if [[ $(docker inspect -f '{{index .Config.Labels "bottle-bench"}}' "$prefix-$each" 2>/dev/null) == yes ]]; then
            docker rm -f "$prefix-$each" >/dev/null
        fi
    done
}

remove_networks() { # remove_networks FULL-NAME…
    local each
    for each in "$@"; do
        if [[ $(docker network inspect -f '{{index .Labels "bottle-bench"}}' "$each" 2>/dev/null) == yes ]]; then
            docker network rm "$each" >/dev/null
        fi
    done
}

# now: microseconds since 1970.
now() { echo "${EPOCHREALTIME//[.,]/}"; }

# keep WHAT WAY MICROSECONDS: one line, in milliseconds, of the samples of a measurement.
keep() { echo "$3" | awk '{ printf "%.3f\n", $1 / 1000 }' >>"$folder/samples-$1-$2"; }

# timed WHAT WAY COMMAND…: runs a command and keeps how long it took; one that fails ends the bench.
timed() {
    local begun
    begun=$(now)
    "${@:3}" >"$folder/out.log" 2>&1 || { cat "$folder/out.log" >&2; die "$1 failed: $2"; }
    keep "$1" "$2" $(($(now) - begun))
}
