"""Prints each TCP port of each ADDRESS that takes a connection: `scan.py ADDRESS…`."""

import errno
import selectors
import socket
import sys
import time

BATCH = 4000
PATIENCE = 1.0  # for what doesn't even refuse


def scan(address: str) -> list[int]:
    ports, found = iter(range(1, 65536)), []
    waiting = selectors.DefaultSelector()
    more = True
    while more or waiting.get_map():
        while more and len(waiting.get_map()) < BATCH:
            port = next(ports, None)
            if port is None:
                more = False
                break
            probe = socket.socket()
            probe.setblocking(False)
            if probe.connect_ex((address, port)) in (0, errno.EINPROGRESS):
                waiting.register(probe, selectors.EVENT_WRITE, (port, time.monotonic()))
            else:
                probe.close()
        ready = {key.fd for key, _ in waiting.select(0.1)}
        for key in list(waiting.get_map().values()):
            port, since = key.data
            if key.fd not in ready and time.monotonic() - since < PATIENCE:
                continue
            if key.fd in ready and key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            waiting.unregister(key.fileobj)
            key.fileobj.close()
    return found


for target in sys.argv[1:]:
    for open_port in scan(target):
        print(f"{target}:{open_port}")
