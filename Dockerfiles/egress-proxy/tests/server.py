"""A TLS server on 443 and a plain one on 80 that answer with what they saw; for integration.sh."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import world


def flood(connection, file) -> None:
    """An answer that is longer than anybody reads."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    while True:
        connection.sendall(b"x" * 1_000_000)


def bulk(connection, file) -> None:
    """One gigabyte."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 1_000_000)


server = world.Firewall(Path(sys.argv[1]), direct=True, listen=("0.0.0.0", 443))
server.scripts.update({"/deaf": lambda *_: threading.Event().wait(), "/flood": flood, "/bulk": bulk})
threading.Thread(target=lambda: world.Firewall(Path(sys.argv[1]), listen=("0.0.0.0", 80)), daemon=True).start()
threading.Event().wait()
