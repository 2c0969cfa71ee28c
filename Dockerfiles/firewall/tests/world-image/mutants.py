"""Greetings changed at random, against another reading of them (see hellos.py): `mutants.py WHAT SEED COUNT`.

WHAT: `asked` prints the questions that squid would ask of lib/same-name, `judge` reads its answers; `send` puts the
greetings into tunnels and looks at what reached the server; `flights` prints them in hexadecimal, one a line.
"""

import asyncio
import base64
import random
import sys

from hellos import extension, hello, name_asked, names, record, records
from proxied import connect, converse, greeting, is_through, status

HOST = b"good.test"
ECHO = 9444
LIMIT = 25
AT_ONCE = 150
BASES = [
    greeting("good.test"),
    records(hello(names(HOST))),
    records(hello(names(HOST)), 20, 60, 90),
    records(hello(names(b"GOOD.test"), extension(21, bytes(300)))),
    records(hello(names(HOST, b"other.test"))),
    records(hello(names(HOST), names(b"other.test"))),
    records(hello(names((1, b"other.test"), HOST))),
    records(hello(names(b"good.test\0other.test"))),
    records(hello(names(b"other.test"))),
    record(hello(names(HOST))) + record(bytes(40), 23),
]
NUMBERS = [0, 1, 2, 3, 4, 9, 14, 20, 22, 23, 0x7F, 0x80, 0xFF]


def mutant(source: random.Random) -> bytes:
    flight = bytearray(source.choice(BASES))
    for _ in range(source.choice([0, 1, 1, 1, 2, 3])):
        place = source.randrange(len(flight))
        match source.randrange(7):
            case 0:
                flight[place] = source.choice(NUMBERS)
            case 1:
                flight[place] ^= 1 << source.randrange(8)
            case 2:
                flight[place] = (flight[place] + source.choice([-1, 1])) % 256
            case 3:
                del flight[place : place + source.choice([1, 2, 4, 40])]
            case 4:
                flight[place:place] = source.randbytes(source.choice([1, 2, 4, 40]))
            case 5:
                flight[place:place] = source.choice([b"other.test", b"\0", names(b"other.test"), source.choice(BASES)])
            case 6:
                flight += source.choice(BASES)
        flight = flight or bytearray(b"\0")
    return bytes(flight)


def mutants(seed: str, count: str) -> list[bytes]:
    source = random.Random(int(seed))
    return [mutant(source) for _ in range(int(count))]


def is_good(flight: bytes) -> bool:
    return (name_asked(flight) or b"").lower() == HOST


def judge(flights: list[bytes], answers: list[str]) -> None:
    assert len(answers) == len(flights), f"{len(answers)} answers"
    for channel, (flight, answer) in enumerate(zip(flights, answers, strict=True)):
        wanted = f"{channel} {'OK' if is_good(flight) else 'ERR'}"
        assert answer == wanted, f"{answer}, not {wanted}: {flight.hex()}"
    good = sum(map(is_good, flights))
    print(f"{good} of {len(flights)} good")
    assert min(good, len(flights) - good) > len(flights) // 20


async def send(flights: list[bytes]) -> None:
    through, room = 0, asyncio.Semaphore(AT_ONCE)

    async def one(flight: bytes) -> None:
        nonlocal through
        async with room:
            answer, closed = await converse([connect("good.test", ECHO), 0.05, flight], LIMIT, 0.3, is_through)
            assert status(answer) == 200, answer[:80]
            inside = answer.partition(b"\r\n\r\n")[2]
            assert inside or closed, f"is kept open: {flight.hex()}"
            assert not inside or (is_good(flight) and flight.startswith(inside)), f"got through: {flight.hex()}"
            through += bool(inside)

    await asyncio.gather(*map(one, flights))
    good = sum(map(is_good, flights))
    print(f"{through} went through, {good} are good")
    assert good * 0.8 < through <= good


flights = mutants(*sys.argv[2:])
match sys.argv[1]:
    case "asked":
        for channel, flight in enumerate(flights):
            print(channel, "good.test", base64.b64encode(flight).decode(), "-")
    case "judge":
        judge(flights, sys.stdin.read().splitlines())
    case "flights":
        for flight in flights:
            print(flight.hex())
    case "send":
        asyncio.run(send(flights))
