# shellcheck shell=bash
# The other scripts source this file: paths of the checkout, messages, running commands as root.

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # for the scripts that source this
root=${scripts%/*} cache=${scripts%/*}/.cache

note() { printf '%s\n' "$*" >&2; }

die() {
    note "error: $*"
    exit 1
}

can_be_root() { ((EUID == 0)) || { command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; }; }

# Runs a command as root: directly, or through sudo if sudo can ask for a password or needs none.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif can_be_root; then
        sudo "$@"
    else
        die "this needs root, and sudo can't be used here: run as root:  $*"
    fi
}

# Prints the path of the bottle executable: the release build if no source is newer, else a fresh debug build.
bottle_executable() {
    local release=$root/.build-release/bottle
    if [[ -x $release && -z $(find "$root/Sources" "$root/Package.swift" -newer "$release" -print -quit) ]]; then
        echo "$release"
    else
        swift build --package-path "$root" --product bottle >&2
        echo "$root/.build/debug/bottle"
    fi
}
