"""What surrounds the firewalls of the tests: names, servers that show what they were sent, and clients."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from engine import Container, Conversation, Run, docker, until

FIREWALL, WORLD, ELSEWHERE, PINNED, MORE, FOREIGN = 2, 10, 11, 12, 20, 66


@dataclass(frozen=True)
class Answer:
    """What curl got through a firewall, with the status of CONNECT (0 without one)."""

    text: str
    connect: int
    status: int
    seconds: float


class World:
    """Three containers of one image: `world`, with the name server and the clients, `elsewhere` and `pinned`.

    Each is the same servers. `world` may be reached, `pinned` under one name, `elsewhere` not at all.
    """

    def __init__(self, run: Run, image: str) -> None:
        self.owner, self.image = run, image
        self.subnet = run.network("net", range(40, 251, 5), 24)
        self.network = run.name("net")
        self._addresses = itertools.chain([FIREWALL], range(MORE, FOREIGN))
        self.world = self._made("world", WORLD)
        self.elsewhere = self._made("elsewhere", ELSEWHERE)
        self.pinned = self._made("pinned", PINNED)
        for container in (self.world, self.elsewhere, self.pinned):
            assert until(lambda c=container: c.attempt("test", "-e", "/tmp/dnsmasq.pid").returncode == 0)

    def at(self, host: int) -> str:
        return f"{self.subnet}.{host}"

    def _made(self, part: str, host: int) -> Container:
        addresses = {"WORLD": WORLD, "ELSEWHERE": ELSEWHERE, "PINNED": PINNED, "FIREWALL": FIREWALL}
        told = [word for name, number in addresses.items() for word in ("-e", f"{name}={self.at(number)}")]
        return self.launch(part, "--network", self.network, "--ip", self.at(host), *told)

    def launch(self, part: str, *options: str, command: tuple[str, ...] = ()) -> Container:
        """A container of the world's image that goes on running."""
        container = Container(self.owner, part)
        docker("run", "-d", "--name", container.name, *options, self.image, *command)
        return container

    def attack(self, program: str, *arguments: object, data: bytes | None = None) -> str:
        """One of the world's clients, from the world."""
        return self.world.run(*self._client(program, *arguments), data=data)

    def begin_attack(self, program: str, *arguments: object) -> Conversation:
        return self.world.begin(*self._client(program, *arguments))

    def _client(self, program: str, *arguments: object) -> list[str]:
        return ["python3", f"/usr/local/lib/world/{program}.py", *map(str, arguments)]

    def visit(self, proxy: str, url: str, *options: str, client: Container | None = None) -> Answer:
        """What curl gets of the URL through the proxy."""
        told = "\n%{http_connect} %{http_code} %{time_total}"
        words = ["curl", "-sk", "-m", "4", "-w", told, "-x", f"http://{proxy}", *options, url]
        said = (client or self.world).attempt(*words).stdout.decode(errors="replace")
        text, _, numbers = said.rpartition("\n")
        connect, status, seconds = numbers.split()
        return Answer(text, int(connect), int(status), float(seconds))

    def converse(self, proxy: str, *steps: bytes | float) -> str:
        """Sends each of the steps (a number is a pause) to the proxy; what comes back, a character each byte."""
        told = [step.decode("latin-1") if isinstance(step, bytes) else step for step in steps]
        return self.attack("say", proxy.partition(":")[0], data=json.dumps(told).encode())

    def s_client(self, proxy: str, *options: str, seconds: int = 5) -> str:
        """What openssl says of a tunnel to good.test:443."""
        command = f'echo | timeout {seconds} openssl s_client -proxy {proxy} -connect good.test:443 "$@" 2>&1; true'
        return self.world.shell(command, *options)

    def tunnel(self, proxy: str, port: int = 9443) -> Conversation:
        """A tunnel to a server of good.test that sends back what it gets."""
        options = ["-quiet", "-ign_eof", "-proxy", proxy, "-connect", f"good.test:{port}", "-servername", "good.test"]
        return self.world.begin("bash", "-c", 'timeout 60 openssl s_client "$@" 2>/dev/null', "bash", *options)

    def conversation(self, proxy: str) -> Conversation:
        """A connection to the proxy, to be talked over."""
        return self.world.begin("timeout", "20", "socat", "-t", "2", "-", f"TCP:{proxy}")

    @contextlib.contextmanager
    def renamed(self, addresses: dict[str, str]) -> Iterator[None]:
        """Gives names other addresses; afterwards they are as before."""
        self.world.run("cp", "/tmp/names", "/tmp/names.before")
        try:
            for name, address in addresses.items():
                self.rename(name, address)
            yield
        finally:
            self._names("cat /tmp/names.before >/tmp/names")

    def rename(self, name: str, address: str) -> None:
        """Gives the name this one address."""
        self._names('sed -i "/ $1\\$/d" /tmp/names; echo "$2 $1" >>/tmp/names', name, address)

    def _names(self, change: str, *arguments: str) -> None:
        """Changes the list of names, and waits until the name server has read it."""
        count = "grep -c 'read /tmp/names' /tmp/queries"
        script = f"before=$({count}); {change}; kill -HUP 1; until (($({count}) > before)); do sleep 0.02; done"
        self.world.shell(script, *arguments)

    def next_address(self) -> str:
        """An address for one more firewall; the first is the one that the world calls itself.test."""
        return self.at(next(self._addresses))

    def seen(self) -> str:
        """What the servers of the world were asked since `forget`."""
        return self.world.run("cat", "/tmp/seen")

    def forget(self) -> None:
        self.world.shell(": >/tmp/seen")


def once(image: str, name: str, *options: str, command: tuple[str, ...], data: bytes | None = None):
    """A container for one program, without a network unless the options say so: what became of it."""
    return subprocess.run(
        ["docker", "run", "--rm", "-i", "--name", name, *(options or ("--network", "none")), image, *command],
        input=data,
        capture_output=True,
        timeout=300,
        check=False,
    )
