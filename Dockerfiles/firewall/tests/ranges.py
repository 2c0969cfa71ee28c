"""Checks what addresses.awk computes for the settings in tests/run.

`ranges.py acls WIDE NARROW`: the ACLs, each file what it printed. `ranges.py addresses` prints addresses at its
ranges' edges and elsewhere; `ranges.py connects` reads what connect() said of them under the guard.
"""

import errno
import ipaddress
import itertools
import json
import pathlib
import random
import sys


def sets(path):
    found = {}
    for line in pathlib.Path(path).read_text().splitlines():
        word = line.split()
        if word[2] == "dst":
            found.setdefault(word[1], []).append(ipaddress.ip_network(word[3]))
    return found


def within(address, ranges):
    return any(address in r for r in ranges if r.version == address.version)


def networks(text):
    return [ipaddress.ip_network(word) for word in text.split()]


SPECIAL = networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
    " 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3"
    " ::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1"
)
NEVER = networks("0.0.0.0/8 127.0.0.0/8 224.0.0.0/3 ::/96 ff00::/8")
MAPPED = networks("::ffff:0:0/96")  # squid holds these as IPv4


def edges(ranges, count):
    """Addresses at both sides of each edge, and random ones."""
    found = []
    for r in ranges:
        found += [r[0], r[-1]] + [r[n] + d for n in (0, -1) for d in (-1, 1) if 0 <= int(r[n]) + d < 2**r.max_prefixlen]
    found += [ipaddress.IPv4Address(random.getrandbits(32)) for _ in range(count)]
    return found + [ipaddress.IPv6Address(random.getrandbits(128)) for _ in range(count)]


def is_refused(address, permitted, never):
    return within(address, never) or (within(address, SPECIAL) and not within(address, permitted))


def check_acls(wide, narrow):
    cases = [
        (wide, "203.0.113.9", "10.1.2.0/23 172.16.0.0/12 192.168.7.7 fd00:1::/32 127.0.0.0/8 0.0.0.0/0"),
        (narrow, "10.1.2.9", "10.1.2.0/23 192.168.7.7 fd00:1::/32 169.254.169.254/32"),
    ]
    checked = 0
    for path, listen, text in cases:
        found = sets(path)
        permitted = networks(text)
        never = NEVER + networks(listen)
        for address in edges(SPECIAL + permitted + never + networks("10.9.9.9 fd00:2::5"), 2000):
            if within(address, MAPPED):
                continue
            wanted = is_refused(address, permitted, never)
            assert within(address, found["refused_address"]) == wanted, (path, address, wanted)
            if "extra1_rest" in found:
                assert within(address, found["extra1_rest"]) == (str(address) != "10.9.9.9"), address
                assert within(address, found["extra2_rest"]) == (str(address) != "fd00:2::5"), address
            checked += 1
        for name, ranges in found.items():
            ordered = sorted((int(r[0]), int(r[-1])) for r in ranges if r.version == 6)
            assert all(a[1] < b[0] for a, b in itertools.pairwise(ordered)), f"{name} overlaps"
            assert ipaddress.ip_network("0.0.0.0/0") not in ranges
    assert checked > 8000, checked


PERMITTED = networks("10.1.2.0/23 192.168.7.7 fd00:1::/32 10.9.9.9 fd00:2::5")
LISTEN = networks("10.1.2.9")


def check_connects(lines):
    refused = recorded = checked = 0
    for line in lines:
        if line.startswith("{"):
            recorded += json.loads(line)["rule"] == "private-address"
            continue
        word, number = line.split()
        address = ipaddress.ip_address(word)
        real = getattr(address, "ipv4_mapped", None) or address
        wanted = is_refused(real, PERMITTED, NEVER + LISTEN)
        assert (int(number) == errno.EACCES) == wanted, f"{line}: {wanted}"
        refused += wanted
        checked += 1
    print(f"{refused} of {checked} refused, {recorded} on record")
    assert recorded == refused > 1000 and checked - refused > 1000


match sys.argv[1:]:
    case ["acls", wide, narrow]:
        check_acls(wide, narrow)
    case ["addresses"]:
        for address in edges(SPECIAL + NEVER + LISTEN + PERMITTED, 3000):
            print(address)
            if address.version == 4:
                print(f"::ffff:{address}")
    case ["connects"]:
        check_connects(sys.stdin)
