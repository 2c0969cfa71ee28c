"""The way out of a build: two relays and the folder that they share."""

from __future__ import annotations

import pytest
from engine import Container, docker, eventually, until
from world import ELSEWHERE, FIREWALL, WORLD, once

RELAY = "/usr/local/lib/firewall/relay"
OWN_PROXY = "127.0.0.1:8888"
BAD_PLACES = [
    "",
    "tcp:",
    "tcp:127.0.0.1",
    "tcp:127.0.0.1:",
    "tcp:localhost:80",
    "tcp:1.2.3:4",
    "file:/x",
    "127.0.0.1:80",
    "unix:/" + "x" * 120,
]
CHECKSUM_AND_ALL = (
    "socat TCP-LISTEN:7002,fork,reuseaddr "
    "SYSTEM:'cat >/tmp/$$; sha256sum </tmp/$$; cat /tmp/$$; rm /tmp/$$' >/dev/null 2>&1 &"
)
ASK = """
head -c "$1" /dev/urandom >/tmp/question
socat -t 60 - UNIX-CONNECT:/run/bottle/echo </tmp/question >/tmp/answer
read -r sum _ <<<"$(sha256sum </tmp/question)"
read -r told _ </tmp/answer
[[ $told == "$sum" ]] && tail -n +2 /tmp/answer | cmp - /tmp/question
"""
REACH_PLACES = """for place in "$@"; do timeout 1 bash -c "</dev/tcp/$place" 2>/dev/null && echo "$place"; done
getent hosts good.test; true"""
CROWD = r"""for ((i = 0; i < 400; i++)); do
exec {c}<>/dev/tcp/127.0.0.1/8888 && printf 'CONNECT good.test:443 HTTP/1.1\r\n' >&$c; done 2>/dev/null; sleep 1"""


@pytest.fixture(scope="module")
def start_relay(run, image):
    """Starts a relay's container as a build has it."""
    made = []

    def start(part: str, listen: str, connect: str, *options: str) -> Container:
        relay = Container(run, part)
        made.append(relay)
        ready = f"/run/bottle/{part}.ready"
        docker(
            *("run", "-d", "--name", relay.name, "--read-only", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--pids-limit", "256"),
            *("-v", f"{run.name('exit')}:/run/bottle", *options, image, RELAY, listen, connect, ready),
        )
        assert until(lambda: relay.attempt("test", "-e", ready).returncode == 0), relay.errors()
        return relay

    yield start
    for relay in made:
        relay.remove()


class Step:
    """Programs as a step of a build is one, in the network of the inner relay and with nothing dropped."""

    def __init__(self, world, firewall, inner: Container, outer: Container) -> None:
        self._world, self.firewall, self._inner, self.outer = world, firewall, inner, outer

    def run(self, *words: str) -> str:
        network = ("--network", f"container:{self._inner.name}")
        done = once(self._world.image, self._world.owner.name("step"), *network, command=words)
        return done.stdout.decode(errors="replace")

    def get(self, url: str, *options: str) -> str:
        return self.run("curl", "-sk", "-m", "6", *options, "-x", f"http://{OWN_PROXY}", url)

    def assert_reaches_what_is_listed(self) -> None:
        assert "reached" in self.get("https://good.test/")
        assert "reached" in self.get("http://good.test/")
        before = len(self.firewall.lines())
        assert "reached" not in self.get("https://other.test/")
        hosts = until(lambda: [refusal["host"] for refusal in self.firewall.refusals(before)], 3)
        assert "other.test" in hosts


@pytest.fixture(scope="module")
def relays(start_relay, shared_firewall, world):
    """The outer relay to the firewall, and the inner one, without a network."""
    outer = start_relay("outer", "unix:/run/bottle/exit", f"tcp:{shared_firewall.proxy}", "--network", world.network)
    inner = start_relay("inner", "tcp:127.0.0.1:8888", "unix:/run/bottle/exit", "--network", "none")
    return inner, outer


@pytest.fixture
def step(world, firewall, relays):
    return Step(world, firewall, *relays)


@pytest.fixture(scope="module")
def echo(start_relay, world):
    """A relay to a server that answers only when all has come: with its checksum, and as many bytes."""
    world.world.shell(CHECKSUM_AND_ALL)
    return start_relay("echo", "unix:/run/bottle/echo", f"tcp:{world.at(WORLD)}:7002", "--network", world.network)


def test_a_step_reaches_what_is_listed_and_nothing_more(step):
    step.assert_reaches_what_is_listed()


def test_a_step_has_no_other_way_out(step, world):
    assert step.run("ls", "/sys/class/net") == "lo\n"
    sent = world.elsewhere.segments()
    engine = [f"{world.at(1)}/22", "172.17.0.1/22"]
    places = [f"{world.at(WORLD)}/443", f"{world.at(FIREWALL)}/8888", f"{world.at(ELSEWHERE)}/443", *engine]
    assert step.run("bash", "-c", REACH_PLACES, "bash", *places) == ""
    assert world.elsewhere.segments() == sent


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 50_000_000])
def test_each_direction_keeps_its_bytes_and_its_end_leaves_the_other_open(echo, world, run, size):
    options = ("--network", "none", "-v", f"{run.name('exit')}:/run/bottle")
    done = once(world.image, run.name("asker"), *options, command=("bash", "-c", ASK, "bash", str(size)))
    assert done.returncode == 0, done


def test_a_relay_outlives_more_connections_than_it_can_serve(step):
    """Some are closed at once, and when the others end it serves again."""
    step.run("bash", "-c", CROWD)
    eventually(step.assert_reaches_what_is_listed)


def test_a_relay_outlives_its_target(step):
    """A target that is away ends the connection, and when it is back all goes on as before."""
    step.outer.stop()
    assert "200" not in step.get("https://good.test/", "-w", "%{http_code}")
    docker("start", step.outer.name)
    eventually(step.assert_reaches_what_is_listed)


def _assert_not_begun(image: str, name: str, *arguments: str) -> None:
    assert once(image, name, command=(RELAY, *arguments)).returncode == 64


@pytest.mark.parametrize("place", BAD_PLACES)
def test_a_relay_refuses_to_listen_at(image, run, place):
    _assert_not_begun(image, run.name("bad-relay"), place, "unix:/x", "/tmp/ready")


@pytest.mark.parametrize("place", BAD_PLACES)
def test_a_relay_refuses_to_lead_to(image, run, place):
    _assert_not_begun(image, run.name("bad-relay"), "unix:/tmp/x", place, "/tmp/ready")


def test_a_relay_wants_three_arguments(image, run):
    _assert_not_begun(image, run.name("bad-relay"), "unix:/x")
