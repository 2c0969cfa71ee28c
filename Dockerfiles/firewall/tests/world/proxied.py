"""What the attacking clients share: a connection to the firewall, the head of a request, a TLS greeting."""

import asyncio
import os
import ssl

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
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return output.read()


async def converse(steps: list[bytes | float], limit: float, settle: float = 0.4) -> tuple[bytes, bool]:
    """Sends each of `steps` (a number is a pause, in seconds); what came back, and whether the firewall closed.

    An answer is taken as whole once nothing more comes for `settle` seconds; without any, waits for `limit`.
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
            more = await asyncio.wait_for(reader.read(65536), settle if answer else limit)
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
