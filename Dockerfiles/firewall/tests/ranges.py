"""Which addresses are refused, by Python's own arithmetic: against the ACLs of addresses.awk, and against connect()."""

from __future__ import annotations

import errno
import ipaddress
import itertools
import json
import random
from dataclasses import dataclass


def sets(acls: str):
    found = {}
    for line in acls.splitlines():
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


def edges(ranges, count, seed):
    """Addresses at both sides of each edge, and random ones."""
    source = random.Random(seed)
    found = []
    for r in ranges:
        found += [r[0], r[-1]] + [r[n] + d for n in (0, -1) for d in (-1, 1) if 0 <= int(r[n]) + d < 2**r.max_prefixlen]
    found += [ipaddress.IPv4Address(source.getrandbits(32)) for _ in range(count)]
    return found + [ipaddress.IPv6Address(source.getrandbits(128)) for _ in range(count)]


def is_refused(address, permitted, never):
    return within(address, never) or (within(address, SPECIAL) and not within(address, permitted))


@dataclass(frozen=True)
class Settings:
    """What addresses.awk is told. Of `ignored`, which is permitted too, nothing may come of it."""

    listen: str
    permitted: str
    ignored: str = ""
    extra: str = ""


SETTINGS = [
    Settings(
        "203.0.113.9",
        "10.1.2.0/23 172.16.0.0/12 192.168.7.7 fd00:1::/32 127.0.0.0/8 0.0.0.0/0",
        "::ffff:0:0/96",
        "a.test=10.9.9.9 b.test=fd00:2::5",
    ),
    Settings("10.1.2.9", "10.1.2.0/23 192.168.7.7 fd00:1::/32 169.254.169.254/32"),
]


def check_acls(acls: str, settings: Settings, seed: int) -> None:
    found = sets(acls)
    permitted = networks(settings.permitted)
    never = NEVER + networks(settings.listen)
    checked = 0
    for address in edges(SPECIAL + permitted + never + networks("10.9.9.9 fd00:2::5"), 2000, seed):
        if within(address, MAPPED):
            continue
        wanted = is_refused(address, permitted, never)
        assert within(address, found["refused_address"]) == wanted, (address, wanted)
        if "extra1_rest" in found:
            assert within(address, found["extra1_rest"]) == (str(address) != "10.9.9.9"), address
            assert within(address, found["extra2_rest"]) == (str(address) != "fd00:2::5"), address
        checked += 1
    assert ("extra1_rest" in found) == bool(settings.extra)
    for name, ranges in found.items():
        ordered = sorted((int(r[0]), int(r[-1])) for r in ranges if r.version == 6)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(ordered)), f"{name} overlaps"
        assert ipaddress.ip_network("0.0.0.0/0") not in ranges
    assert checked > 4000, checked


PERMITTED = networks("10.1.2.0/23 192.168.7.7 fd00:1::/32 10.9.9.9 fd00:2::5")
LISTEN = networks("10.1.2.9")


def addresses(seed: int) -> list[str]:
    """Addresses at the edges of the refused ranges and elsewhere, those of IPv4 in the form of IPv6 too."""
    found = edges(SPECIAL + NEVER + LISTEN + PERMITTED, 3000, seed)
    return [form for a in found for form in ([f"{a}", f"::ffff:{a}"] if a.version == 4 else [f"{a}"])]


def check_connects(lines: list[str]) -> None:
    """What connect() said of each address under the guard, a line each, beside what went on record."""
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
