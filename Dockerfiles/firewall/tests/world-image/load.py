"""Clients that lean on the firewall: `load.py steady|crowd|bulk …`.

`steady FILE` makes new connections beside kept tunnels until the file is there, and fails when any does; `crowd COUNT`
opens connections that send next to nothing; `bulk BYTES` reads so much, and sends and reads a quarter of it, while
others read slowly.
"""

import asyncio
import collections
import os
import pathlib
import ssl
import sys

from proxied import PORT, connect, converse, greeting, head, is_through, status

FIREWALL = os.environ["FIREWALL"]
LIMIT = 30
HELLO = greeting("good.test")


async def new_connections(stop: pathlib.Path, tunnelled: bool, count: collections.Counter[str]) -> None:
    request = head("GET http://good.test/ HTTP/1.1", "Host: good.test", "Connection: close")
    steps = [connect("good.test"), HELLO] if tunnelled else [request]
    while not stop.exists():
        answer, _ = await converse(steps, LIMIT, 0, is_through)
        inside = answer.partition(b"\r\n\r\n")[2]
        assert inside[:1] == b"\x16" if tunnelled else status(answer) == 200, f"failed: {answer[:120]!r}"
        count["new"] += 1


async def tunnel() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To a server that sends back what it gets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(FIREWALL, PORT)
    writer.write(connect("good.test", 9443))
    assert status(await reader.readuntil(b"\r\n\r\n")) == 200
    await writer.start_tls(context, server_hostname="good.test")
    return reader, writer


async def kept_tunnel(stop: pathlib.Path, count: collections.Counter[str]) -> None:
    reader, writer = await tunnel()
    while not stop.exists():
        line = f"{count['kept']}\n".encode()
        writer.write(line)
        assert await asyncio.wait_for(reader.readline(), LIMIT) == line, "a kept tunnel ended"
        count["kept"] += 1
        await asyncio.sleep(0.1)
    writer.close()


async def steady(stop: pathlib.Path) -> None:
    count: collections.Counter[str] = collections.Counter()
    work = [new_connections(stop, n % 2 == 0, count) for n in range(4)] + [kept_tunnel(stop, count) for _ in range(4)]
    await asyncio.gather(*work)
    print(dict(count))
    assert min(count["new"], count["kept"]) > 100


async def crowd(number: int) -> None:
    """Half of a head each, and a byte more now and then."""
    ended: collections.Counter[str] = collections.Counter()

    async def one() -> None:
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(FIREWALL, PORT), LIMIT)
            writer.write(b"CONNECT good.test:443 HTTP/1.1\r\nX-Drip: ")
            for _ in range(LIMIT):
                try:
                    await asyncio.wait_for(reader.read(1), 1)
                    break
                except TimeoutError:
                    writer.write(b"a")
            else:
                ended["never"] += 1
                return
            writer.close()
        except OSError:
            pass
        ended["closed"] += 1

    await asyncio.gather(*(one() for _ in range(number)))
    print(dict(ended))
    assert ended["closed"] == number


async def read_large(size: int, block: int, pace: float) -> None:
    reader, writer = await asyncio.open_connection(FIREWALL, PORT)
    writer.write(head("GET http://good.test/large HTTP/1.1", "Host: good.test", "Connection: close"))
    received = 0
    while received < size:
        more = await asyncio.wait_for(reader.read(block), LIMIT)
        assert more, f"ended after {received} bytes"
        received += len(more)
        await asyncio.sleep(pace)
    writer.close()


async def send_large(size: int) -> None:
    reader, writer = await tunnel()
    block, received = bytes(1 << 18), 0
    for _ in range(size // len(block)):
        writer.write(block)
        received += len(await asyncio.wait_for(reader.readexactly(len(block)), LIMIT))
    assert received == size
    writer.close()


async def bulk(size: int) -> None:
    slow = [read_large(100 << 10, 1024, 0.05) for _ in range(20)]
    await asyncio.gather(read_large(size, 1 << 20, 0), send_large(size // 4), *slow)


match sys.argv[1:]:
    case ["steady", stop]:
        asyncio.run(steady(pathlib.Path(stop)))
    case ["crowd", number]:
        asyncio.run(crowd(int(number)))
    case ["bulk", size]:
        asyncio.run(bulk(int(size)))
    case _:
        sys.exit(__doc__)
