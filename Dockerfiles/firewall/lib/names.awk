# What a host name is: shared by the check of a candidate list and by the judge of requests.

# Labels of letters, digits and inner hyphens; at most 253 characters; never what a program may read as an address.
function is_name(text,    labels, count, i) {
    if (length(text) == 0 || length(text) > 253) return 0
    count = split(text, labels, ".")
    for (i = 1; i <= count; i++) {
        if (length(labels[i]) > 63 || labels[i] !~ /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/) return 0
    }
    return !looks_numeric(labels[count])
}

# inet_aton reads `127.1`, `2130706433` and `0x7f.1` as addresses; all of them end in such a label.
function looks_numeric(label) {
    return label ~ /^[0-9]+$/ || label ~ /^0x[0-9a-f]*$/
}

function is_port(text) {
    return text ~ /^[1-9][0-9]*$/ && length(text) <= 5 && text + 0 <= 65535
}
