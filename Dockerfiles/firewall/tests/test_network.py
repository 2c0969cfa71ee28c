"""A firewall between its client's network and one that others are on, as the reconciler makes it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from engine import Container, docker, eventually
from firewall import Firewall
from world import ELSEWHERE, FOREIGN, WORLD

SOCKETS = r"""$2 ~ /:/ && $2 !~ /^......7F:/ && ($4 == "0A" || FILENAME ~ /udp|raw/) {
    sub(/.*\//, "", FILENAME); print FILENAME, $2 }"""
TABLES = [f"/proc/net/{table}" for table in ("tcp", "udp", "raw", "tcp6", "udp6", "raw6")]


@dataclass
class Link:
    """The firewall, its client on the inner network, and a stranger on the outer one with a route to the inner."""

    firewall: Firewall
    client: Container
    foreign: Container
    subnet: str
    network: str

    def assert_client_gets_out(self) -> None:
        """The client gets out, as it may."""
        answer = self.firewall.world.visit(self.firewall.proxy, "https://good.test/", client=self.client)
        assert "reached" in answer.text, answer

    def scan(self, scanner: Container) -> list[str]:
        """The ports that take a connection, of both the firewall's addresses."""
        places = (f"{self.subnet}.2", self.firewall.address)
        return scanner.run("python3", "/usr/local/lib/world/scan.py", *places).split()


@pytest.fixture(scope="module")
def link(run, image, world):
    isolated = ("--internal", "-o", "com.docker.network.bridge.inhibit_ipv4=true")
    subnet = run.network("link", range(41, 251, 5), 28, *isolated)
    network = run.name("link")
    waiting = ("--cap-add", "NET_ADMIN")
    sleep = ("sleep", "infinity")
    client = world.launch("client", "--network", network, "--ip", f"{subnet}.3", *waiting, command=sleep)
    foreign = world.launch("foreign", "--network", world.network, "--ip", world.at(FOREIGN), *waiting, command=sleep)
    firewall = Firewall(image, world, "walled", "-e", f"BOTTLE_PRIVATE={world.at(WORLD)}", listen=f"{subnet}.2")
    docker("network", "connect", "--ip", f"{subnet}.2", network, firewall.name)
    firewall.put("good.test 443\n")
    firewall.start()
    # With an inner address of its own too: the engine's rules let an inner source through.
    foreign.run("ip", "address", "add", f"{subnet}.9/32", "dev", "lo")
    foreign.run("ip", "route", "add", f"{subnet}.0/28", "via", firewall.address)
    client.run("ip", "route", "replace", "default", "via", f"{subnet}.2")
    yield Link(firewall, client, foreign, subnet, network)
    for container in (firewall, client, foreign):
        container.remove()


def test_one_port_can_be_reached(firewall, world):
    script = """for port in "${@:2}"; do
        timeout 2 bash -c "</dev/tcp/$1/$port" 2>/dev/null && echo "$port"; done; true"""
    ports = ["8889", "3128", "3130", "80", "8888"]
    assert world.world.shell(script, firewall.address, *ports).split() == ["8888"]


def test_a_stranger_on_the_outer_network_finds_no_port(link):
    link.assert_client_gets_out()
    assert link.scan(link.foreign) == []


def test_its_client_finds_one_port(link):
    assert link.scan(link.client) == [f"{link.subnet}.2:8888"]


def test_it_has_one_socket_that_anything_outside_can_send_to(link):
    """Of every kind, those that are not on loopback."""
    listed = link.firewall.run("mawk", SOCKETS, *TABLES)
    address = bytes(int(part) for part in reversed(f"{link.subnet}.2".split("."))).hex().upper()
    assert listed == f"tcp {address}:22B8\n"


def test_its_kernel_routes_nothing_between_its_networks(link, world):
    client, elsewhere = link.client.segments(), world.elsewhere.segments()
    for source in (world.at(FOREIGN), f"{link.subnet}.9"):
        target = f"TCP:{link.subnet}.3:80,bind={source},connect-timeout=1"
        assert link.foreign.attempt("timeout", "2", "socat", "-u", "OPEN:/dev/null", target).returncode != 0
    target = f"TCP:{world.at(ELSEWHERE)}:80,connect-timeout=1"
    assert link.client.attempt("timeout", "2", "socat", "-u", "OPEN:/dev/null", target).returncode != 0
    assert (link.client.segments(), world.elsewhere.segments()) == (client, elsewhere)
    link.assert_client_gets_out()


def test_it_answers_no_ping(link, world):
    ping = ("ping", "-c", "1", "-W", "1")
    link.foreign.run(*ping, world.at(WORLD))
    assert link.foreign.attempt(*ping, link.firewall.address).returncode == 1


def test_it_ends_when_its_interface_is_another_one(link):
    """The port is bound to an interface; one that was taken away and put back is another."""
    docker("network", "disconnect", link.network, link.firewall.name)
    docker("network", "connect", "--ip", f"{link.subnet}.2", link.network, link.firewall.name)
    assert link.firewall.wait() == "false 1"
    link.firewall.start()
    eventually(link.assert_client_gets_out)
