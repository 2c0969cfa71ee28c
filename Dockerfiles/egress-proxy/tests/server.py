"""A TLS server on 443 and a plain one on 80 that answer with what they received; for integration.sh.

Usage: server.py CERTIFICATE SIZE; SIZE is how many bytes /bulk sends.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import world


def flood(connection, file) -> None:
    """An endless answer."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    while True:
        connection.sendall(b"x" * 1_000_000)


def bulk(connection, file) -> None:
    """A large answer."""
    size = int(sys.argv[2])
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    for sent in range(0, size, 1_000_000):
        connection.sendall(b"x" * min(1_000_000, size - sent))


server = world.Firewall(Path(sys.argv[1]), direct=True, listen=("0.0.0.0", 443))
server.scripts.update({"/deaf": lambda *_: threading.Event().wait(), "/flood": flood, "/bulk": bulk})
threading.Thread(target=lambda: world.Firewall(Path(sys.argv[1]), listen=("0.0.0.0", 80)), daemon=True).start()
threading.Event().wait()
