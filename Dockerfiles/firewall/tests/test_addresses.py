"""Which addresses a name may have, whenever it is looked up."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import ranges
from engine import docker, until
from firewall import BASE
from world import ELSEWHERE, WORLD, once

HERE = Path(__file__).parent
LIBRARY = "/usr/local/lib/firewall"
GREETING = """
import sys
sys.path.insert(0, "/usr/local/lib/world")
from proxied import greeting
print(greeting("moving.test").hex())
"""
FORGOTTEN = 2.5  # how long squid holds a name's address at most, in seconds, and a little more


@pytest.mark.parametrize(
    "literal",
    ["127.0.0.1", "WORLD", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_an_address_in_place_of_a_name_is_refused(firewall, world, literal):
    firewall.assert_refuses(f"https://{literal.replace('WORLD', world.at(WORLD))}/", "not-a-name")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("private.test", id="private"),
        pytest.param("mixed.test", id="private beside a permitted one"),
        pytest.param("metadata.test", id="of the metadata"),
        pytest.param("loopback.test", id="loopback"),
        pytest.param("zero.test", id="zero"),
        pytest.param("shared.test", id="of the shared range"),
        pytest.param("multicast.test", id="multicast"),
        pytest.param("itself.test:8888", id="of the firewall itself"),
        pytest.param("localhost:8889", id="of its inner port"),
    ],
)
def test_a_name_is_refused_whose_address_is(firewall, place):
    firewall.assert_refuses(f"https://{place}/", "private-address")


def test_a_name_without_an_address_is_refused(firewall):
    firewall.assert_refuses("https://absent.test/", "unresolved", 502)


def test_no_private_address_of_a_name_that_changes_is_reached(firewall, world):
    before = world.elsewhere.segments()
    world.attack("rebinding", 10)
    assert world.elsewhere.segments() == before
    assert firewall.is_running


def _computed(image, name: str, listen: str, permitted: str, extra: str) -> str:
    """The ACLs for these settings."""
    values = (f"listen={listen}", f"permitted={permitted}", f"extra={extra}", "guard=/dev/null")
    settings = (word for value in values for word in ("-v", value))
    programs = ("-f", f"{LIBRARY}/names.awk", "-f", f"{LIBRARY}/addresses.awk")
    done = once(image, name, command=("mawk", *settings, *programs))
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("settings", ranges.SETTINGS, ids=["wide", "narrow"])
def test_the_refused_ranges_are_those_of_the_settings_address_by_address(image, run, seed, settings):
    permitted = f"{settings.permitted} {settings.ignored}".strip()
    computed = _computed(image, run.name("ranges"), settings.listen, permitted, settings.extra)
    ranges.check_acls(computed, settings, seed("RANGES_SEED"))


def test_connect_itself_refuses_the_same_addresses(image, run, seed):
    script = f"""cd {LIBRARY} && mawk -v listen=10.1.2.9 -v permitted="10.1.2.0/23 192.168.7.7 fd00:1::/32" \\
        -v extra="a.test=10.9.9.9 b.test=fd00:2::5" -v guard=/tmp/guard -f names.awk -f addresses.awk >/dev/null \\
        && LD_PRELOAD=$PWD/preload.so FIREWALL_GUARD=/tmp/guard perl -e "$0" """
    asked = "".join(f"{address}\n" for address in ranges.addresses(seed("RANGES_SEED")))
    program = (HERE / "connects.pl").read_text()
    done = once(image, run.name("guard"), command=("bash", "-c", script, program), data=asked.encode())
    assert done.returncode == 0, done.stderr
    ranges.check_connects(done.stdout.decode().splitlines())


@pytest.mark.parametrize("text", ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/8x", "x/8"])
def test_nothing_starts_without_good_ranges_to_refuse(image, run, text):
    script = f"""[[ -z $1 ]] || printf "%s\\n" "$1" >/tmp/guard
        LD_PRELOAD={LIBRARY}/preload.so FIREWALL_GUARD=/tmp/guard perl -e 1"""
    done = once(image, run.name("guard"), command=("bash", "-c", script, "bash", text))
    assert done.returncode == 64, done


def test_connect_refuses_although_the_name_was_let_through(create, extra_hosts, world, tmp_path):
    """squid without its own judgement of addresses, as if each name changed between the two look-ups."""
    rules = (HERE.parent / "lib" / "squid.conf").read_text()
    lines = r"^(http_access deny|ssl_bump terminate named) wrong_address.*\n"
    rules = re.sub(rf"{lines}| !wrong_address$", "", rules, flags=re.MULTILINE)
    assert "wrong_address" not in re.sub(r"^#.*", "", rules, flags=re.MULTILINE)
    (tmp_path / "squid.conf").write_text(rules)
    unjudged = create("unjudged", *extra_hosts, "-v", f"{tmp_path}/squid.conf:{LIBRARY}/squid.conf:ro")
    unjudged.put(BASE)
    unjudged.start()
    with world.renamed({"itself.test": unjudged.address}):
        for url in ("https://good.test/", "http://good.test/", "https://pinned.test/"):
            unjudged.assert_reaches(url)
        before = world.elsewhere.segments()
        for name in ("private", "metadata", "loopback", "zero", "shared", "multicast", "itself"):
            assert "reached" not in unjudged.visit(f"https://{name}.test/").text
            assert "reached" not in unjudged.visit(f"http://{name}.test/").text
        for place in ("localhost:8889", "itself.test:8888"):
            assert "reached" not in unjudged.visit(f"https://{place}/").text
        assert world.elsewhere.segments() == before
    connect = {"host": world.at(ELSEWHERE), "port": "443", "method": "-"}
    assert until(lambda: [refusal for refusal in unjudged.refusals() if connect.items() <= refusal.items()], 3)
    assert unjudged.refusals()[-1]["rule"] == "private-address"


@pytest.fixture
def world_with_ipv6(run, world):
    """The world on a network with IPv6 too; what the addresses there begin with."""
    beginning = f"fd00:{world.subnet.rpartition('.')[2]}"
    network = run.name("net6")
    docker("network", "create", "--ipv6", "--subnet", f"{beginning}::/64", network)
    docker("network", "connect", "--ip6", f"{beginning}::{WORLD}", network, world.world.name)
    listen = "sed -i 's/listen 443 ssl;/& listen [::]:443 ssl;/' /etc/nginx/nginx.conf; nginx -s reload"
    world.world.shell(f"grep -q '::.:443' /etc/nginx/nginx.conf || {{ {listen}; }}")
    yield network, beginning
    docker("network", "disconnect", "-f", network, world.world.name)


def test_an_ipv6_address_is_judged_like_an_ipv4_one(create, world, world_with_ipv6):
    network, beginning = world_with_ipv6
    refused = {
        "loopback6": "::1",
        "mapped": "::ffff:127.0.0.1",
        "sixtofour": "2002:7f00:1::",
        "local": "fe80::1",
        "nat64": "64:ff9b::a00:1",
        "mapped10": "::ffff:10.0.0.1",
        "sixtofour10": "2002:a00:1::",
        "other6": f"{beginning}::{ELSEWHERE}",
    }
    names = {f"{name}.test": address for name, address in refused.items()} | {"six.test": f"{beginning}::{WORLD}"}
    with world.renamed(names):
        six = create("six", "-e", f"BOTTLE_PRIVATE={world.at(WORLD)} {beginning}::{WORLD}")
        docker("network", "connect", network, six.name)
        six.put("".join(f"{name} 443\n" for name in [*names, "good.test"]))
        six.start()
        for name in refused:
            answer = six.visit(f"https://{name}.test/")
            assert (name, answer.connect, answer.status) == (name, 403, 0)
        six.assert_reaches("https://six.test/")
        six.assert_serves()


def test_a_tunnel_is_cut_whose_name_has_a_private_address_by_the_time_of_its_greeting(firewall, world):
    greeting = world.world.run("python3", "-c", GREETING)
    connect = b"CONNECT moving.test:443 HTTP/1.1\r\nHost: moving.test:443\r\n\r\n"

    def answered(address: str) -> int:
        """How much comes back when the name has moved there between CONNECT and greeting."""
        with world.renamed({"moving.test": world.at(WORLD)}), world.conversation(firewall.proxy) as conversation:
            conversation.say(connect)
            conversation.hear(b"\r\n\r\n")
            world.rename("moving.test", address)
            time.sleep(FORGOTTEN)
            conversation.say(bytes.fromhex(greeting))
            return conversation.hear_bytes(500)

    assert answered(world.at(WORLD)) >= 500
    time.sleep(FORGOTTEN)
    before = len(firewall.lines())
    assert answered(world.at(ELSEWHERE)) < 100
    firewall.assert_recorded("private-address", before)
