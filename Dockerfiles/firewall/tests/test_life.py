"""How a firewall starts, and with what it ends."""

from __future__ import annotations

import time

import pytest
from engine import docker, until
from firewall import BASE, generation

AGE = 33  # past the half minute after which squid by itself would take a greeting without an answer for a good one
TRIES = 3  # a bound in time holds at the best of them: a busy machine is slow now and then, what waits always


def test_a_greeting_is_not_let_through_when_the_helper_ends_that_judges_it(firewall, world):
    world.forget()
    until(lambda: time.time() > firewall.started() + AGE, AGE + 5, 1)
    firewall.signal("STOP", "same-name")
    options = ("-proxy", firewall.proxy, "-connect", "good.test:443", "-servername", "other.test")
    with world.world.begin("bash", "-c", 'echo | timeout 20 openssl s_client "$@" 2>&1', "bash", *options) as client:
        time.sleep(2)  # the greeting is with the helper
        assert client.is_running, f"judged without the helper: {client.rest()}"
        firewall.signal("KILL", "same-name")
        assert b"BEGIN CERTIFICATE" not in client.rest()
    assert "other.test" not in world.seen()
    assert firewall.wait() == "false 1"
    firewall.start()
    firewall.assert_serves()


@pytest.mark.parametrize("helper", ["same-name", "judge"])
def test_it_ends_when_a_helper_does_that_owes_no_answer(firewall, helper):
    firewall.signal("KILL", helper)
    assert firewall.wait() == "false 1"
    firewall.start()
    firewall.assert_serves()


def test_it_ends_when_squid_does(firewall):
    firewall.signal("KILL", "squid")
    assert firewall.wait() == "false 1"
    firewall.start()
    firewall.assert_serves()


def test_the_link_is_written_within_two_seconds_of_the_start(firewall, measured):
    took = []
    while len(took) < TRIES and min(took, default=2) >= 2:
        firewall.restart()
        firewall.wait_for_link(f"/{generation(BASE)}/ok")
        took.append(firewall.linked() - firewall.started())
        firewall.assert_serves()
    measured(f"{took[-1] * 1000:.0f} ms from start to link")
    assert 0 < min(took) < 2, took


def test_a_restart_cuts_the_tunnel_of_a_host_that_was_removed(firewall, world):
    wild = "*.wild.test 443\n"
    with world.tunnel(firewall.proxy) as tunnel:
        tunnel.say(b"one\n")
        tunnel.hear(b"one\n")
        firewall.put(wild)
        firewall.restart()
        assert tunnel.rest() == b"one\n"
    firewall.wait_for_link(f"/{generation(wild)}/ok")
    firewall.assert_refuses("https://good.test/", "unlisted-host")
    firewall.assert_reaches("https://a.wild.test/")
    firewall.load(BASE)
    firewall.assert_serves()


def test_it_works_after_a_kill(firewall):
    docker("kill", firewall.name)
    firewall.start()
    firewall.wait_for_link(f"/{generation(BASE)}/ok")
    firewall.assert_serves()


def test_hangups_while_it_starts_do_not_kill_it(firewall):
    for _ in range(3):
        firewall.stop()
        docker("start", firewall.name)
        for _ in range(8):
            firewall.hang_up()
        firewall.wait_until_loaded()
        time.sleep(0.3)
        assert firewall.is_running
        firewall.wait_for_link(f"/{generation(BASE)}/ok")
    firewall.assert_serves()


def test_it_stops_at_once(firewall):
    took = []
    while len(took) < TRIES and min(took, default=1) >= 1:
        before = time.monotonic()
        firewall.stop(5)
        took.append(time.monotonic() - before)
        assert firewall.state() == "false 0"
        firewall.start()
    assert min(took) < 1, took


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("BOTTLE_LISTEN=8888", id="listening address"),
        pytest.param("BOTTLE_PRIVATE=10.0.0.0/33", id="private range"),
        pytest.param("BOTTLE_EXTRA_HOSTS=a.test=300.0.0.1", id="extra host"),
        pytest.param("BOTTLE_EXTRA_HOSTS=a.test=127.0.0.1", id="extra host on loopback"),
    ],
)
def test_it_does_not_start_with_a_bad(create, setting):
    """It says so and ends with 64, and nothing listens."""
    begun = create("bad", "-e", setting)
    docker("start", begun.name)
    assert begun.wait() == "false 64"
    assert "firewall: " in begun.errors()
