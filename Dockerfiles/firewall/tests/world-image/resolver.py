"""A name server whose answers follow from the name: `resolver.py PORT`. Every answer has TTL 0.

`ANY.FIRST-SECOND-REST.script.test`: the first look-up of that name gets FIRST, the second SECOND, each later one REST.
A word is `nx`, `fail`, `never`, `late` (w after 3 s), `flip` (w in even seconds, e in odd ones), `alias` (a CNAME with
the address e), `many` (sixty w and one e), or letters, an address each: w WORLD, e ELSEWHERE, f FIREWALL.
"""

import collections
import os
import socket
import struct
import sys
import threading
import time

ADDRESSES = {letter: os.environ[name] for letter, name in (("w", "WORLD"), ("e", "ELSEWHERE"), ("f", "FIREWALL"))}
A, CNAME = 1, 5
QUESTION_NAME = b"\xc0\x0c"
NO_ERROR, SERVER_FAILURE, NO_NAME = 0, 2, 3

asked: collections.Counter[str] = collections.Counter()


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


def addresses(letters: str, owner: bytes = QUESTION_NAME) -> list[bytes]:
    return [record(owner, A, socket.inet_aton(ADDRESSES[letter])) for letter in letters]


def answer(word: str) -> tuple[int, list[bytes]]:
    match word:
        case "nx":
            return NO_NAME, []
        case "fail":
            return SERVER_FAILURE, []
        case "late":
            time.sleep(3)
            return NO_ERROR, addresses("w")
        case "flip":
            return NO_ERROR, addresses("we"[int(time.time()) % 2])
        case "many":
            return NO_ERROR, addresses("w" * 60 + "e")
        case "alias":
            target = b"\x05other\x06hidden\x04test\x00"
            return NO_ERROR, [record(QUESTION_NAME, CNAME, target), *addresses("e", target)]
    return NO_ERROR, addresses(word)


def reply(server: socket.socket, query: bytes, client: tuple[str, int]) -> None:
    labels, end = [], 12
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode().lower())
        end += query[end] + 1
    kind = struct.unpack(">H", query[end + 1 : end + 3])[0]
    name = ".".join(labels)
    asked[name] += kind == A
    words = labels[-3].split("-")
    word = words[min(max(asked[name], 1), len(words)) - 1]
    if word == "never":
        return
    code, records = answer(word)
    if kind != A:
        records = []
    header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0)
    server.sendto(header + query[12 : end + 5] + b"".join(records), client)


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        query, client = server.recvfrom(4096)
        threading.Thread(target=reply, args=(server, query, client), daemon=True).start()


main()
