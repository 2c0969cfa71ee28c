# Prints the ACLs that judge what a name resolves to. `listen`, `permitted` and `extra` are given with -v. Into the file
# `guard` go the ranges that nothing may connect to, whatever it was called (see preload/judged-addresses.c).
#
# squid's `dst` matches when any answer does, so a second ACL of permitted ranges would let a mixed answer through.
# Hence one set: special ranges minus the permitted ones, computed on prefixes written as strings of bits (v4 ones
# start with "4", v6 ones with "6").

BEGIN {
    # squid holds v4 addresses as v6 ones in this range, and judges them by both kinds of rule.
    mapped = bits("::ffff:0:0/96")

    count = split("0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24" \
        " 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3" \
        " ::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1", word, " ")
    for (i = 1; i <= count; i++) special[bits(word[i])]
    add_unless_covered(special, bits(listen))

    # Loopback holds the inner port, and the listening address is a loop: no setting opens these.
    count = split("0.0.0.0/8 127.0.0.0/8 224.0.0.0/3 ::/96 ::ffff:0:0/96 ff00::/8 " listen, never, " ")
    for (i = 1; i <= count; i++) never[i] = bits(never[i])
    nevers = count

    count = split(permitted, word, " ")
    for (i = 1; i <= count; i++) open[bits(word[i])]
    for (i = 1; i <= nevers; i++) subtract(open, never[i])
    for (prefix in open) subtract(special, prefix)
    subtract(special, mapped)
    print_set("refused_address", special)
    for (prefix in special) guarded[prefix]

    count = split(extra, word, " ")
    if (count == 0) {
        write_guard()
        print "acl wrong_address any-of refused_address"
        exit
    }
    wrong = "acl wrong_address any-of other_wrong"
    for (i = 1; i <= count; i++) {
        if (split(word[i], pair, "=") != 2 || !is_name(pair[1])) fail("not name=address: " word[i])
        if (pair[1] in seen) fail("two addresses for one host: " pair[1])
        seen[pair[1]]
        only = bits(pair[2])
        for (j = 1; j <= nevers; j++) if (index(only, never[j]) == 1) fail("not an address to reach: " word[i])
        split("", rest)
        subtract(guarded, only)
        # squid reads 0.0.0.0/0 as every address, v6 ones too, so it is given in halves.
        rest["40"]
        rest["41"]
        rest["6"]
        subtract(rest, only)
        subtract(rest, mapped)
        print "acl extra_name dstdomain -n", pair[1]
        print "acl extra" i "_name dstdomain -n", pair[1]
        print_set("extra" i "_rest", rest)
        print "acl extra" i "_wrong all-of extra" i "_name extra" i "_rest"
        wrong = wrong " extra" i "_wrong"
    }
    print "acl other_wrong all-of !extra_name refused_address"
    print wrong
    write_guard()
}

function write_guard(    prefix) {
    for (prefix in guarded) print text(prefix) > guard
    if (close(guard) != 0) fail("can't write " guard)
}

function fail(what) {
    print "firewall: bad setting: " what > "/dev/stderr"
    exit 64
}

# squid without IPv6 skips v6 ranges, and warns of an ACL that begins with one.
function print_set(name, set,    prefix) {
    for (prefix in set) if (prefix ~ /^4/) print "acl", name, "dst", text(prefix)
    for (prefix in set) if (prefix ~ /^6/) print "acl", name, "dst", text(prefix)
}

# Takes the addresses under `prefix` out of `set`.
function subtract(set, prefix,    member, i) {
    for (member in set) {
        if (index(member, prefix) == 1) delete set[member]
        else if (index(prefix, member) == 1) {
            delete set[member]
            for (i = length(member) + 1; i <= length(prefix); i++)
                set[substr(prefix, 1, i - 1) (substr(prefix, i, 1) == "0" ? "1" : "0")]
        }
    }
}

function add_unless_covered(set, prefix,    member) {
    for (member in set) if (index(prefix, member) == 1) return
    set[prefix]
}

# `10.0.0.0/8`, `fd00::/8` or an address, as bits.
function bits(range,    slash, address, length_, result) {
    slash = index(range, "/")
    address = slash ? substr(range, 1, slash - 1) : range
    result = address ~ /:/ ? bits6(address) : bits4(address)
    length_ = slash ? substr(range, slash + 1) : length(result) - 1
    if (result == "" || length_ !~ /^[0-9]+$/ || length_ + 0 > length(result) - 1) fail("not a range: " range)
    return substr(result, 1, length_ + 1)
}

function bits4(address,    part, i, result) {
    if (split(address, part, ".") != 4) return ""
    result = "4"
    for (i = 1; i <= 4; i++) {
        if (part[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || part[i] + 0 > 255) return ""
        result = result binary(part[i] + 0, 8)
    }
    return result
}

function bits6(address,    half, halves, left, right, lefts, rights, i, result) {
    if (address !~ /^[0-9a-fA-F:]+$/ || address ~ /:::/) return ""
    halves = split(address, half, "::")
    if (halves > 2) return ""
    lefts = split(half[1], left, ":")
    rights = halves == 2 ? split(half[2], right, ":") : 0
    if (index(address, "::") ? lefts + rights > 7 : lefts != 8) return ""
    result = "6"
    for (i = 1; i <= lefts; i++) result = result group(left[i])
    for (i = lefts + rights; i < 8; i++) result = result "0000000000000000"
    for (i = 1; i <= rights; i++) result = result group(right[i])
    return length(result) == 129 ? result : ""
}

function group(hex,    i, value) {
    if (length(hex) < 1 || length(hex) > 4) return ""
    for (i = 1; i <= length(hex); i++) value = value * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
    return binary(value, 16)
}

function binary(value, width,    result) {
    for (; width > 0; width--) {
        result = value % 2 result
        value = int(value / 2)
    }
    return result
}

# Bits as squid writes a range.
function text(prefix,    length_, padded, i, j, value, result, wide) {
    length_ = length(prefix) - 1
    wide = substr(prefix, 1, 1) == "6"
    padded = substr(prefix, 2)
    while (length(padded) < (wide ? 128 : 32)) padded = padded "0"
    for (i = 1; i <= length(padded); i += wide ? 16 : 8) {
        value = 0
        for (j = i; j < i + (wide ? 16 : 8); j++) value = value * 2 + substr(padded, j, 1)
        result = result (i > 1 ? (wide ? ":" : ".") : "") (wide ? sprintf("%x", value) : value)
    }
    return result "/" length_
}
