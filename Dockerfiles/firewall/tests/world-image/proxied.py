"""What the attacking clients share: a connection to the firewall, the head of a request, a TLS greeting."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable

PORT = 8888
CLOSED = b""


def head(line: str, *fields: str, end: str = "\r\n") -> bytes:
    return end.join([line, *fields, "", ""]).encode("latin-1")


def connect(host: str, port: int = 443) -> bytes:
    return head(f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}")


def greeting(name: str | None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The first flight of a TLS client; without `name` it has no server name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    output = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), output, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return output.read()


def is_any(answer: bytes) -> bool:
    return answer != b""


def is_through(answer: bytes) -> bool:
    """Whether there is something behind the head: what came through a tunnel, or a body."""
    _, end, rest = answer.partition(b"\r\n\r\n")
    return is_any(rest) or (is_any(end) and status(answer) != 200)


async def converse(
    steps: list[bytes | float],
    limit: float,
    settle: float = 0.4,
    is_enough: Callable[[bytes], bool] = is_any,
) -> tuple[bytes, bool]:
    """Sends each of `steps` (a number is a pause, in seconds); what came back, and whether the firewall closed.

    Waits for `limit` seconds until the answer is enough, and then until nothing more comes for `settle` seconds.
    """
    reader, writer = await asyncio.open_connection(os.environ["FIREWALL"], PORT)
    answer = b""
    try:
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            else:
                await asyncio.sleep(step)
        while True:
            more = await asyncio.wait_for(reader.read(65536), settle if is_enough(answer) else limit)
            if more == CLOSED:
                return answer, True
            answer += more
    except TimeoutError:
        return answer, False
    except ConnectionError:
        return answer, True
    finally:
        writer.close()


def status(answer: bytes) -> int:
    """The first answer's status, or 0."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.") and words[1].isdigit() else 0
