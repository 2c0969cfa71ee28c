# Reads a candidate list, prints its entries one `pattern port` a line; on a bad line prints a reason code, exits 1.

function refuse(code) {
    print code
    refused = 1
    exit 1
}

/^ *(#.*)?$/ { next }

{
    if ($0 !~ /^[^ ]+ [^ ]+$/) refuse("bad-line")
    base = $1
    if (sub(/^\*\./, "", base) && base !~ /\./) refuse("bad-host")
    if (!is_name(base)) refuse("bad-host")
    if (!is_port($2)) refuse("bad-port")
    print $1, $2
}
