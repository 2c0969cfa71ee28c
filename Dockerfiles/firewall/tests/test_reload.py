"""A list that changes while connections are open."""

from __future__ import annotations

import time

from engine import docker
from firewall import BASE

CHANGES = 50
HELD_UP = 2.2  # longer than any wait of the supervisor's, in seconds


def test_a_host_is_added_and_a_running_tunnel_stays(firewall, world, measured):
    """Two reads from one tunnel with a reload between them."""
    firewall.assert_refuses("https://added.test/", "unlisted-host")
    with world.tunnel(firewall.proxy) as tunnel:
        tunnel.say(b"one\n")
        tunnel.hear(b"one\n")
        added = firewall.put(f"{BASE}added.test 443\n")
        before = time.time()
        firewall.hang_up()
        firewall.wait_for_link(f"/{added}/ok")
        measured(f"{(firewall.linked() - before) * 1000:.0f} ms from signal to link")
        firewall.assert_reaches("https://added.test/")
        tunnel.say(b"two\n")
        assert tunnel.hear(b"two\n") == b"one\ntwo\n"


def test_no_connection_is_refused_while_the_list_changes(firewall, world, measured):
    """New connections and kept tunnels to a host that stays, while the list is replaced under them."""
    world.world.run("rm", "-f", "/tmp/stop")
    with world.begin_attack("load", "steady", "/tmp/stop") as load:
        for number in range(CHANGES):
            firewall.load(f"{BASE}added.test {1000 + number}\n")
        assert load.is_running, load.rest()
        world.world.run("touch", "/tmp/stop")
        output = load.rest().decode()
        assert load.status == 0, output
    measured(f"{CHANGES} lists in force under load: {output.strip()}")


def test_the_next_hangup_is_heard_after_a_loading_that_was_held_up(firewall):
    """The supervisor's probe may give up on what was held up, but the next hangup is always heard."""
    for number in range(6):
        put = firewall.put(f"{BASE}added.test {2000 + number}\n")
        firewall.hang_up()
        docker("pause", firewall.name)
        time.sleep(HELD_UP)
        docker("unpause", firewall.name)
        time.sleep(0.3)
        firewall.hang_up()
        firewall.wait_for_link(f"/{put}/ok")
    firewall.load(BASE)
    firewall.assert_serves()
