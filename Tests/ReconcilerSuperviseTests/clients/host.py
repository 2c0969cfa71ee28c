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
        line = lines.get(timeout=30)
        address = json.loads(line)["address"]
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


@contextmanager
def served(executable: str, folder: Path) -> Iterator[Host]:
    host = Host(executable, folder)
    host.start()
    try:
        yield host
    finally:
        if host.server.poll() is None:
            assert host.stop() == 0
