"""Names whose answers change under the firewall: `rebinding.py SECONDS`. Prints what became of each way.

Whether a private address was reached is for that address to say: the test looks at its counters.
"""

import asyncio
import collections
import os
import sys
import time

from proxied import connect, converse, greeting, head, is_through, status

LIMIT = 25
# Whether any of it may be served: what it answers first is.
NAMES = {
    "w": True,
    "late": True,
    "e": False,
    "we": False,
    "ew": False,
    "f": False,
    "many": False,
    "alias": False,
    "nx": False,
    "fail": False,
    "never": False,
}


def get(name: str) -> bytes:
    return head(f"GET http://{name}/ HTTP/1.1", f"Host: {name}")


async def once(script: str, serves: bool) -> None:
    name = f"t{os.getpid()}.{script}.script.test"
    for steps in ([get(name)], [connect(name), 0.1, greeting(name)]):
        answer, closed = await converse(steps, LIMIT)
        assert answer or closed, f"{script}: no answer"
        assert (status(answer) == 200) == serves, f"{script}: {answer[:80]!r}"


async def moves(script: str, steps_of, pause: float) -> None:
    name = f"m{os.getpid()}x{pause}".replace(".", "x") + f".{script}.script.test"
    first, second = steps_of(name)
    answer, _ = await converse([first, pause, second], LIMIT)
    assert status(answer) == 200, f"{script}: {answer[:80]!r}"
    rest = answer.partition(b"\r\n\r\n")[2]
    assert b"\x16\3\3" not in rest and rest.count(b"reached") <= 1, f"{script}: served twice: {answer[-300:]!r}"


async def hammer(name: str, outcome: collections.Counter[str], end: float, tunnelled: bool) -> None:
    """Requests as fast as they go, while the name has the one address and the other by turns."""
    hello = greeting(name)
    while time.monotonic() < end:
        answer, _ = await converse([connect(name), hello] if tunnelled else [get(name)], LIMIT, 0, is_through)
        inside = answer.partition(b"\r\n\r\n")[2]
        served = inside[:1] == b"\x16" if tunnelled else status(answer) == 200
        outcome["served" if served else "refused"] += 1


async def main() -> None:
    await asyncio.gather(*(once(script, serves) for script, serves in NAMES.items()))
    await asyncio.gather(
        moves("w-e", lambda name: (connect(name), greeting(name)), 2.5),
        moves("w-we", lambda name: (connect(name), greeting(name)), 2.6),
        moves("w-nx", lambda name: (connect(name), greeting(name)), 2.7),
        moves("w-e", lambda name: (get(name), get(name)), 2.8),
        moves("w-alias", lambda name: (get(name), get(name)), 2.9),
    )
    outcome: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + float(sys.argv[1])
    ways = (hammer(f"h{n}.flip.script.test", outcome, end, n % 2 == 0) for n in range(16))
    await asyncio.gather(*ways)
    print(dict(outcome))
    assert min(outcome["served"], outcome["refused"]) > 100, outcome


asyncio.run(main())
