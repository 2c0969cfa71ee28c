"""The docker command line, and the removal of all that one run of the tests has made.

Each container, volume and network of a run has a name that begins with the run's prefix. A second process removes them
once the pipe from the first one closes: at its end, after a failure, an interrupt or a kill. `engine.py PREFIX` is that
process. Images stay, as the cache of the next build.
"""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")
LONGEST = 300
DONE = b"done"


class CommandError(AssertionError):
    """A command that was expected to work did not."""


def attempt(*words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """What became of `docker WORDS…`, whatever its status."""
    return subprocess.run(["docker", *words], input=data, capture_output=True, timeout=LONGEST, check=False)


def docker_bytes(*words: str, data: bytes | None = None) -> bytes:
    done = attempt(*words, data=data)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()[-2000:]
        raise CommandError(f"docker {' '.join(words)[:300]}: status {done.returncode}: {said}")
    return done.stdout


def docker(*words: str, data: bytes | None = None) -> str:
    """Standard output of `docker WORDS…`, which has to work."""
    return docker_bytes(*words, data=data).decode(errors="replace")


def build(tag: str, context: Path, *options: str) -> str:
    """The image's id. The tag only keeps it: another checkout may move it meanwhile."""
    return docker("build", "-q", *options, "-t", tag, str(context)).split()[-1]


def until(condition: Callable[[], Value], seconds: float = 15, pause: float = 0.05) -> Value:
    """What the condition returns, once that is true or the time is over."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(pause)
    return value


def eventually(check: Callable[[], object], seconds: float = 20) -> None:
    """Makes the assertions until they hold, or the time is over."""

    def holds() -> bool:
        try:
            check()
        except AssertionError:
            return False
        return True

    if not until(holds, seconds, 0.25):
        check()


def archive(files: dict[str, bytes], owner: int = 0, mode: int = 0o644) -> bytes:
    """A tar of these files."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid = len(content), mode, owner, owner
            tar.addfile(member, io.BytesIO(content))
    return output.getvalue()


def unpacked(tar: bytes) -> dict[str, bytes]:
    """The files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        return {Path(member.name).name: opened.extractfile(member).read() for member in opened if member.isfile()}


class Run:
    """One run of the tests: its names and its networks."""

    def __init__(self) -> None:
        self.prefix = f"fwtest-{secrets.token_hex(4)}"
        # In a session of its own: what interrupts the tests does not reach it.
        self._remover = subprocess.Popen(
            [sys.executable, "-B", __file__, self.prefix], stdin=subprocess.PIPE, start_new_session=True
        )

    def name(self, part: str) -> str:
        return f"{self.prefix}-{part}"

    def network(self, part: str, octets: Iterable[int], size: int, *options: str) -> str:
        """Makes a network in the first range that is free; the three bytes that its addresses begin with."""
        said = ""
        for octet in octets:
            subnet = f"10.213.{octet}"
            made = attempt("network", "create", "--subnet", f"{subnet}.0/{size}", *options, self.name(part))
            if made.returncode == 0:
                return subnet
            said = made.stderr.decode()
        raise CommandError(f"no network could be made: {said}")

    def remove(self) -> None:
        """Removes all that this run has made."""
        self._remover.communicate(DONE)


class Container:
    """A container of this run."""

    def __init__(self, run: Run, part: str) -> None:
        self.owner, self.name = run, run.name(part)

    def run(self, *words: str, data: bytes | None = None) -> str:
        """Standard output of a program in the container, which has to work."""
        return docker("exec", "-i", self.name, *words, data=data)

    def attempt(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return attempt("exec", self.name, *words)

    def shell(self, script: str, *arguments: str) -> str:
        return self.run("bash", "-c", script, "bash", *arguments)

    def begin(self, *words: str) -> Conversation:
        """Begins a program in the container, to be talked to while it runs."""
        return Conversation(["docker", "exec", "-i", self.name, *words])

    def state(self) -> str:
        """Whether it runs, and its exit code."""
        return docker("inspect", "-f", "{{.State.Running}} {{.State.ExitCode}}", self.name).strip()

    def inspect(self, format: str) -> str:
        return docker("inspect", "-f", format, self.name).strip()

    def errors(self) -> str:
        return attempt("logs", self.name).stderr.decode(errors="replace")

    def stop(self, patience: int = 1) -> None:
        docker("stop", "-t", str(patience), self.name)

    def remove(self) -> None:
        attempt("rm", "-fv", self.name)

    def segments(self) -> int:
        """How many TCP segments it has been sent."""
        return int(self.run("awk", "/^Tcp:/ { count = $11 } END { print count }", "/proc/net/snmp"))


class Conversation:
    """A program that runs, with what it has said so far."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self.output = b""

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def say(self, data: bytes) -> None:
        self._process.stdin.write(data)

    def hear(self, end: bytes) -> bytes:
        """Reads on until the end has come, or the program's."""
        while end not in self.output and (more := self._process.stdout.read(65536)):
            self.output += more
        assert end in self.output, f"{end!r} is not in {self.output!r}"
        return self.output

    def hear_bytes(self, count: int) -> int:
        """Reads on until it has said so much, or has ended; how much it has said."""
        while len(self.output) < count and (more := self._process.stdout.read(65536)):
            self.output += more
        return len(self.output)

    def rest(self) -> bytes:
        """All of its output, once it has ended."""
        self.output += self._process.stdout.read()
        self._process.wait(LONGEST)
        return self.output


def remove_all(prefix: str) -> None:
    """Removes what bears the prefix: containers first, since they hold the rest."""
    for listing, removal in (
        (("ps", "-a", "--format", "{{.Names}}"), ("rm", "-fv")),
        (("volume", "ls", "--format", "{{.Name}}"), ("volume", "rm", "-f")),
        (("network", "ls", "--format", "{{.Name}}"), ("network", "rm")),
    ):
        names = [name for name in attempt(*listing).stdout.decode().split() if name.startswith(f"{prefix}-")]
        if names:
            attempt(*removal, *names)


if __name__ == "__main__":
    is_done = sys.stdin.buffer.read() == DONE
    remove_all(sys.argv[1])
    if not is_done:  # the tests were killed, and what they had just begun to make may come a little later
        time.sleep(3)
        remove_all(sys.argv[1])
