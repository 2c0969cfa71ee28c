"""The listening socket, which accepts only what arrives through the device that has its address.

Linux accepts a packet for any of its addresses on any device. So a neighbour on the outer network could reach the
inner port with a route to it.
"""

from __future__ import annotations

import fcntl
import socket
import struct

_SIOCGIFADDR = 0x8915


class NotListening(Exception):
    """The port could not be opened, or not on its device only."""


def device_of(address: str) -> tuple[str, int]:
    """Name and index of the device that has the IPv4 address. Raises NotListening."""
    wanted = socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for index, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            if answer[20:24] == wanted:
                return name, index
    raise NotListening("no network device carries the address to listen on")


def open_listener(address: str, port: int) -> socket.socket:
    """A bound socket that receives from its own device only. Raises NotListening."""
    name, _ = device_of(address)
    # asyncio sets TCP_NODELAY only on sockets whose protocol is given.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
    except OSError as error:
        listener.close()
        reason = f"the kernel does not bind the socket to its device, as Linux 5.7 or later does: {error.strerror}"
        raise NotListening(reason) from error
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise NotListening(f"the port could not be opened: {error.strerror}") from error
    return listener
