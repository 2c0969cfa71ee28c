"""The TLS greeting of a tunnel: what it has to be, and what becomes of another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine import archive, until
from world import once

HERE = Path(__file__).parent
CONNECT = b"CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n\r\n"
SANITIZED = """cd /tmp && tar -xf - \\
    && gcc -std=c11 -g -O1 -Wall -Wextra -Werror -I/preload -fsanitize=address,undefined -fno-sanitize-recover=all \\
        -o flights-read flights.c /preload/helpers.c /preload/pauses.c \\
    && ./flights-read <flights"""


@pytest.fixture
def mutants(seed):
    """Which greetings are changed at random: MUTANTS_SEED, and MUTANTS says how many."""
    return str(seed("MUTANTS_SEED")), os.environ.get("MUTANTS", "5000")


@pytest.mark.parametrize("option", ["-servername other.test", "-noservername"])
def test_a_tunnel_is_cut_without_the_name_of_its_host(firewall, world, option):
    before = len(firewall.lines())
    output = world.s_client(firewall.proxy, *option.split())
    assert "no peer certificate" in output
    assert "BEGIN CERTIFICATE" not in output
    firewall.assert_recorded("sni", before)


def test_a_tunnel_opens_for_the_name_of_its_host_in_any_case(firewall, world):
    assert "BEGIN CERTIFICATE" in world.s_client(firewall.proxy, "-servername", "GOOD.test")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", id="plain HTTP"),
        pytest.param(b"SSH-2.0-client\r\n", id="another protocol"),
    ],
)
def test_a_tunnel_is_cut_that_begins_with(firewall, sent):
    before = len(firewall.lines())
    output = firewall.converse(CONNECT, 0.2, sent)
    assert " 200 " in output
    assert "reached" not in output
    assert "nginx" not in output
    firewall.assert_recorded("not-tls", before)


def test_an_honest_greeting_opens_a_tunnel_and_one_that_is_never_finished_is_ended(firewall, world):
    world.forget()
    greetings, heads = firewall.count("sni", "not-tls"), firewall.count("form")
    count, stopped = map(int, world.attack("greetings").split())
    assert firewall.is_running
    firewall.assert_serves()
    assert "other.test" not in world.seen()
    until(lambda: firewall.count("sni", "not-tls") - greetings >= count, 5)
    firewall.record()
    assert firewall.count("sni", "not-tls") - greetings == count
    assert firewall.count("form") - heads >= stopped


def test_greetings_changed_at_random_are_read_as_their_grammar_says(image, run, world, mutants):
    """The helper reads them as another program does."""
    asked = world.attack("mutants", "asked", *mutants)
    helper = ("/usr/local/lib/firewall/same-name",)
    done = once(image, run.name("helper"), command=helper, data=asked.encode())
    assert done.returncode == 0, done.stderr
    print(world.attack("mutants", "judge", *mutants, data=done.stdout))


def test_no_greeting_changed_at_random_gets_through_that_asks_for_another_host(firewall, world, mutants):
    print(world.attack("mutants", "send", mutants[0], 600))
    assert firewall.is_running
    firewall.assert_serves()


def test_each_beginning_of_a_greeting_is_read_within_its_bounds(compiled_image, run, world, mutants):
    """The reader of first flights in squid's own process, under sanitizers: each greeting as it grows."""
    flights = world.attack("mutants", "flights", *mutants).encode()
    files = archive({"flights.c": (HERE / "flights.c").read_bytes(), "flights": flights})
    done = once(compiled_image, run.name("flights"), command=("bash", "-c", SANITIZED), data=files)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-2000:]
