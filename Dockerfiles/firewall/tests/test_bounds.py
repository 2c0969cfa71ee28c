"""More of everything than is served: connections, bytes, refusals."""

from __future__ import annotations

import time

from engine import docker, until
from firewall import BASE

FLOOD = r"""for ((i = 0; i < 450; i++)); do exec {c}<>/dev/tcp/"$1"/8888
    printf 'CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n\r\n' >&$c; done 2>/dev/null
read -r; echo ended"""


def test_more_connections_than_are_served_are_refused_and_a_list_is_loaded_meanwhile(firewall, world, measured):
    """Each is stalled after CONNECT."""
    with world.world.begin("timeout", "60", "bash", "-c", FLOOD, "bash", firewall.address) as flood:
        assert until(lambda: firewall.refusals()[-1:] and firewall.refusals()[-1]["rule"] == "crowded", 5)
        firewall.load(f"{BASE}added.test 444\n")
        memory = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", firewall.name).strip()
        measured(f"{memory} with all connections open")
        assert flood.is_running
        flood.say(b"\n")
        assert flood.rest() == b"ended\n"
    assert firewall.is_running
    assert until(lambda: firewall.visit("https://good.test/").status == 200, 5)
    firewall.assert_serves()
    firewall.load(BASE)
    firewall.assert_serves()


def test_nothing_is_held_of_a_stream_of_two_gibibytes_nor_of_slow_readers(firewall, world, measured):
    before = firewall.memory()
    world.attack("load", "bulk", 2 << 30)
    after = firewall.memory()
    measured(f"{before} MiB before, {after} MiB after a stream of 2 GiB")
    assert after < before + 20
    assert firewall.is_running
    firewall.assert_serves()


def test_each_of_three_thousand_refusals_is_on_record(firewall, world):
    before = len(firewall.record())
    script = 'yes http://other.test/ | head -n 3000 | xargs -n 100 curl -s -o /dev/null -x "http://$1"'
    world.world.shell(script, firewall.proxy)
    until(lambda: len(firewall.record()) - before >= 3000, 5)
    assert len(firewall.record()) - before == 3000


def test_ten_thousand_connections_that_say_next_to_nothing_are_ended(firewall, world, measured):
    """By one that has just begun: what others have left free of its memory would hide what these take."""
    firewall.restart()
    most = 0
    with world.begin_attack("load", "crowd", 10000) as clients:
        while clients.is_running:
            most = max(most, firewall.memory())
            time.sleep(0.5)
        output = clients.rest()
        assert clients.status == 0, output
    measured(f"{most} MiB at most with 10000 connections")
    assert 0 < most < 50
    assert firewall.is_running
    firewall.assert_serves()
