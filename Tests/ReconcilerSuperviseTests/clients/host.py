"""The server under test, and a host beside it: what is in force, and what an operator decides."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bytes that the server may take at its worst; it takes some 25 MB when idle.
MEMORY = 160 << 20

STATE = {
    "version": 1,
    "bottle": "dev",
    "revision": "abc",
    "routes": [
        {
            "host": "api.github.com",
            "port": 443,
            "roles": [],
            "methods": ["GET", "HEAD"],
            "paths": ["/repos/acme/"],
            "hasAuth": True,
            "clientAuth": False,
            "webSocket": False,
        }
    ],
    "allowlist": ["raw.example.org"],
    "firewall": True,
    "dockerfile": "FROM bottle/agent\n",
    "limited": [],
    "refusals": [
        {
            "sidecar": "egress-proxy",
            "host": "api.github.com",
            "method": "GET",
            "path": "/user",
            "rule": "path",
            "reason": "outside of path_allowlist",
            "last": "2026-11-24T03:00:00Z",
            "count": 2,
        }
    ],
}


class Host:
    """One bottle's queue, and the server that serves it."""

    def __init__(self, executable: str, folder: Path) -> None:
        self.executable = executable
        self.folder = folder
        self.port = 0
        self.server: subprocess.Popen[str] | None = None
        for name in ("in", "out"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.publish(STATE)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def write(self, name: str, value: object) -> None:
        """Replace a file of `out` as the controller does."""
        temporary = self.folder / "out" / f".{name}.tmp"
        temporary.write_text(json.dumps(value, separators=(",", ":")) + "\n")
        os.rename(temporary, self.folder / "out" / name)

    def publish(self, state: object) -> None:
        self.write("current.json", state)

    def start(self) -> None:
        self.server = subprocess.Popen(
            [self.executable, "supervise-server", "--listen", f"127.0.0.1:{self.port}"]
            + ["--queue", str(self.folder), "--confirm", "off"],
            stdout=subprocess.PIPE,
            text=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.server, lines), daemon=True).start()
        # Decisions that came meanwhile are told before.
        while "address" not in (event := json.loads(lines.get(timeout=30))):
            pass
        address = event["address"]
        self.port = int(re.fullmatch(r"127\.0\.0\.1:(\d+)", address).group(1))

    @staticmethod
    def _read(server: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        for line in server.stdout:
            json.loads(line)
            lines.put(line)

    def stop(self) -> int:
        self.server.terminate()
        return self.server.wait(timeout=20)

    def kill(self) -> None:
        self.server.kill()
        self.server.wait(timeout=20)

    @property
    def is_running(self) -> bool:
        return self.server.poll() is None

    @property
    def memory(self) -> int:
        """Resident bytes of the server."""
        for line in Path(f"/proc/{self.server.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
        raise AssertionError("the server is gone")

    def proposals(self) -> list[dict]:
        return [json.loads(file.read_text()) for file in (self.folder / "in").glob("*.json")]

    def proposal(self, argument: str) -> dict:
        """The proposal with this argument, once it is there."""
        deadline = time.monotonic() + 30
        while True:
            for proposal in self.proposals():
                if proposal["argument"] == argument:
                    return proposal
            assert time.monotonic() < deadline, f"no proposal of {argument}"
            time.sleep(0.02)

    def decide(self, proposal: dict, state: str, **fields: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        answer = {"version": 1, "id": proposal["id"], "state": state, "at": now} | fields
        self.write(f"{proposal['id']}.json", answer)


class Contained(Host):
    """The same in a container of the image, confined as a bottle's sidecar is."""

    def __init__(self, image: str, network: str, address: str, folder: Path) -> None:
        self.network = network
        self.address = address
        self.name = f"{network}-supervise"
        super().__init__(image, folder)
        # Not root in any case; what it writes, root can read.
        self.user = os.getuid() or 12345
        os.chown(folder / "in", self.user, -1)

    @property
    def url(self) -> str:
        return f"http://{self.address}:9100/mcp"

    def start(self) -> None:
        queue = self.folder
        line = ["docker", "run", "--detach", "--rm", "--name", self.name, "--network", self.network]
        line += ["--ip", self.address, "--network-alias", "supervise", "--user", f"{self.user}:{self.user}"]
        line += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "128m"]
        line += ["--pids-limit", "64", "--volume", f"{queue}/in:/queue/in", "--volume", f"{queue}/out:/queue/out:ro"]
        line += ["--volume", "/run/bottle", self.executable, "--listen", f"{self.address}:9100", "--queue", "/queue"]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        link = ["docker", "exec", self.name, "readlink", "/run/bottle/loaded"]
        deadline = time.monotonic() + 30
        while not subprocess.run(link, capture_output=True, text=True).stdout.endswith("/ok\n"):
            assert time.monotonic() < deadline, "the server does not say that it is ready"
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        line = ["docker", "ps", "--all", "--quiet", "--filter", f"name=^{self.name}$"]
        # Until it is removed, too: its name is taken.
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout != ""

    def end(self, *verb: str) -> float:
        begin = time.monotonic()
        subprocess.run(["docker", *verb, self.name], check=True, stdout=subprocess.DEVNULL)
        while self.is_running:
            time.sleep(0.05)
        return time.monotonic() - begin

    def stop(self) -> int:
        took = self.end("stop")
        assert took < 5, f"SIGTERM took {took:.1f} s"
        return 0

    def kill(self) -> None:
        self.end("kill")


@contextmanager
def served(arguments: list[str], folder: Path) -> Iterator[Host]:
    """A host whose server runs: `EXECUTABLE`, or `IMAGE NETWORK ADDRESS` for one in a container."""
    host = Host(arguments[0], folder) if len(arguments) == 1 else Contained(*arguments, folder)
    host.start()
    try:
        yield host
    finally:
        if host.is_running:
            assert host.stop() == 0
