# squid's helper that judges a request by its name: `channel method scheme host port client` in, a verdict out.
#
# The list is one file whose first line names its generation; the supervisor replaces it by rename. The first line is
# read for every request and the rest only when it changed, from the same open file: what this program says is always
# one whole list, and the newest. No list, no way out.

function load(    generation, fields) {
    if ((getline generation < list) <= 0) generation = "none"
    if (generation != loaded) {
        split("", exact)
        split("", below)
        split("", known)
        while (generation != "none" && (getline fields < list) > 0) {
            split(fields, part, " ")
            if (sub(/^\*\./, "", part[1])) {
                below[part[1], part[2]]
                below[part[1], "any"]
            } else {
                exact[part[1], part[2]]
                exact[part[1], "any"]
            }
        }
        loaded = generation
    }
    close(list)
}

function is_listed(host, port,    dot) {
    if ((host, port) in exact) return 1
    while ((dot = index(host, ".")) > 0) {
        host = substr(host, dot + 1)
        if ((host, port) in below) return 1
    }
    return 0
}

function refuse(rule, reason) {
    printf "%s ERR rule_=%s reason_=\"%s\" message=\"%s: %s\"\n", $1, rule, reason, rule, reason
}

# The supervisor asks from the container's own address: which generation is in force, and whether a tunnel opens.
function answer_probe(host) {
    if (host != "firewall-probe.invalid") refuse("self", "the firewall itself needs nothing outside")
    else if ($2 == "CONNECT") printf "%s OK\n", $1
    else printf "%s ERR message=\"generation=%s\"\n", $1, loaded
}

{
    host = tolower($4)
    load()
    if ($6 == self) answer_probe(host)
    else if ($2 != "CONNECT" && ($3 != "http" || $5 != "80" || $2 == "PURGE" || $2 == "TRACE"))
        refuse("form", "only CONNECT and plain HTTP on port 80 are served")
    else if (!is_name(host)) refuse("not-a-name", "the host is not a name")
    else if (is_listed(host, $2 == "CONNECT" ? $5 : "any")) printf "%s OK\n", $1
    else if (is_listed(host, "any")) refuse("unlisted-port", "the host is listed with another port")
    else refuse("unlisted-host", "the host is not listed")
}
