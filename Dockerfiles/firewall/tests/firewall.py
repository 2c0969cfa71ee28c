"""A firewall as the reconciler makes it, and what the tests ask of one."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime

from engine import Container, archive, docker, until
from world import WORLD, Answer, World

LISTING = "/etc/firewall/allowlist"
PORT = 8888
USER = 8888
LINK = "/run/bottle/loaded"
BASE = """\
# what the tests reach
good.test 443
good.test 9443
good.test 9444
*.wild.test 443
moving.test 443
mixed.test 443
private.test 443
pinned.test 443
metadata.test 443
loopback.test 443
zero.test 443
shared.test 443
multicast.test 443
itself.test 8888
localhost 8889
absent.test 443
*.script.test 443
"""
HARDENED = """
    --read-only --cap-drop ALL --security-opt no-new-privileges --memory 128m --pids-limit 64
    --ulimit nofile=4096:8192 --ulimit core=0 --tmpfs /tmp:rw,nosuid,nodev,noexec,size=64m
    --sysctl net.ipv4.ip_forward=0 --sysctl net.ipv4.conf.all.arp_ignore=1
    --sysctl net.ipv4.conf.all.rp_filter=1 --sysctl net.ipv4.icmp_echo_ignore_all=1
""".split()
AT_ONCE = 1.5
MARK = "mark-of-the-tests"

_marks = itertools.count()


def generation(listed: str | bytes = b"") -> str:
    """What a list hashes to, computed apart from the image's own code; what is not there counts as empty."""
    content = listed.encode() if isinstance(listed, str) else listed
    line = f"{hashlib.sha256(content).hexdigest()}  {LISTING}\n"
    return hashlib.sha256(line.encode()).hexdigest()


class Firewall(Container):
    """A container of the image, created and not started."""

    def __init__(self, image: str, world: World, part: str, *options: str, listen: str = "") -> None:
        super().__init__(world.owner, part)
        self.world, self.address = world, world.next_address()
        self.proxy = f"{listen or self.address}:{PORT}"
        self._is_changed = True
        docker(
            *("create", "--name", self.name, "--network", world.network, "--ip", self.address),
            *("--dns", world.at(WORLD), "-v", f"{self.name}-etc:/etc/firewall", "-v", f"{self.name}-run:/run/bottle"),
            *("-e", f"BOTTLE_LISTEN={self.proxy}", *HARDENED, *options, image),
        )

    def start(self) -> None:
        docker("start", self.name)
        self.wait_until_loaded()

    def restart(self) -> None:
        docker("restart", "-t", "2", self.name)
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        """Until there is a link that was written since it was started."""
        started = self.started()
        assert until(lambda: self.linked() > started), f"no link: {self.state()}: {self.errors()[-500:]}"

    # The list

    def put(self, listed: str | bytes) -> str:
        """Writes the list and its generation is returned; nothing tells the firewall yet."""
        self._is_changed = True
        content = listed.encode() if isinstance(listed, str) else listed
        docker("cp", "-", f"{self.name}:/etc/firewall", data=archive({"allowlist": content}, USER, 0o640))
        return generation(content)

    def hang_up(self) -> None:
        docker("kill", "-s", "HUP", self.name)

    def load(self, listed: str | bytes) -> None:
        """Puts the list in force."""
        content = listed.encode() if isinstance(listed, str) else listed
        put = self.put(content)
        self.hang_up()
        self.wait_for_link(f"/{put}/ok")
        self._is_changed = content != BASE.encode()

    def restore(self) -> None:
        """Puts the first list in force when a test has had another, and starts it when a test has ended it."""
        if not self.is_running:
            self.start()
        if self._is_changed:
            self.load(BASE)

    def link(self) -> str:
        return self.attempt("readlink", LINK).stdout.decode().strip()

    def wait_for_link(self, target: str) -> None:
        if not until(lambda: self.link() == target):
            raise AssertionError(f"the link is {self.link()}, not {target}: {self.errors()[-500:]}")

    # Its state

    @property
    def is_running(self) -> bool:
        return self.state().startswith("true")

    def wait(self, seconds: float = 10) -> str:
        """Its state once it has ended."""
        until(lambda: not self.is_running, seconds)
        return self.state()

    def started(self) -> float:
        return _time(self.inspect("{{.State.StartedAt}}"))

    def linked(self) -> float:
        """When the link was written; 0 without one."""
        return float(self.attempt("stat", "-c", "%.9Y", LINK).stdout or 0)

    def signal(self, signal: str, program: str) -> None:
        """Sends it to the processes of this name in the container."""
        script = """for process in /proc/[0-9]*; do
            [[ $(<"$process/comm") == "$2" ]] && kill "-$1" "${process#/proc/}"; done 2>/dev/null; true"""
        self.attempt("bash", "-c", script, "bash", signal, program)

    def memory(self) -> int:
        """What its processes hold of their own, in MiB."""
        statm = self.attempt("bash", "-c", "cat /proc/[1-9]*/statm 2>/dev/null").stdout.decode()
        pages = (line.split() for line in statm.splitlines())
        return sum(int(words[1]) - int(words[2]) for words in pages) // 256

    # What passes, and what is on record

    def visit(self, url: str, *options: str) -> Answer:
        return self.world.visit(self.proxy, url, *options)

    def converse(self, *steps: bytes | float) -> str:
        return self.world.converse(self.proxy, *steps)

    def lines(self) -> list[str]:
        """Its standard output."""
        return docker("logs", self.name).splitlines()

    def refusals(self, since: int = 0) -> list[dict[str, str]]:
        """What is on record, but for its first lines."""
        return [json.loads(line) for line in self.lines()[since:]]

    def count(self, *rules: str) -> int:
        """How many refusals by these rules are on record."""
        return sum(refusal["rule"] in rules for refusal in self.refusals())

    def record(self) -> list[dict[str, str]]:
        """All that is on record of what has happened so far: a refusal made for this comes last, and is left out."""
        mark = f"{MARK}{next(_marks)}.test"
        self.visit(f"https://{mark}/")
        assert until(lambda: self.refusals()[-1:] and self.refusals()[-1]["host"] == mark, 5), self.lines()[-3:]
        return [refusal for refusal in self.refusals() if not refusal["host"].startswith(MARK)]

    def assert_reaches(self, url: str) -> None:
        answer = self.visit(url)
        assert answer.status == 200 and "reached" in answer.text, answer

    def assert_serves(self) -> None:
        self.assert_reaches("https://good.test/")

    def assert_refuses(self, url: str, rule: str, status: int = 403) -> None:
        """At once, with the status and a line that names the rule."""
        seconds = []
        # At once is soon at the best of three times: a busy machine is slow now and then, what waits always.
        while len(seconds) < 3 and min(seconds, default=AT_ONCE) >= AT_ONCE:
            before = len(self.lines())
            answer = self.visit(url)
            assert "reached" not in answer.text and status in (answer.connect, answer.status), answer
            recorded = until(lambda b=before: [line for line in self.refusals(b) if line["rule"] == rule], 3)
            assert recorded, f"not on record by {rule}: {self.lines()[before:]}"
            seconds.append(answer.seconds)
        assert min(seconds) < AT_ONCE, f"{seconds} seconds"

    def assert_recorded(self, rule: str, since: int) -> None:
        """A refusal by this rule, behind the first lines."""
        rules = until(lambda: [line["rule"] for line in self.refusals(since)], 3)
        assert rule in rules, rules


def _time(text: str) -> float:
    """Seconds since 1970 of the engine's time, which has nanoseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
