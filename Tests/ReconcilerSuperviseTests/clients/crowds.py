"""Agents that come in crowds: floods, bodies without end, silence, callers that are gone, and a hundred that wait."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from host import MEMORY, Host
from raw import Raw, begun, events, refusal, request


def flood(host: Host) -> None:
    """10,000 proposals: a few are taken, the others are refused at once."""

    def some(part: int) -> int:
        client, taken = begun(host), 0
        for number in range(1250):
            response = client.block(f"h{part}-{number}.example")
            if response.getheader("Content-Type") == "text/event-stream":
                # It waits for the operator: give it up.
                client.close()
                client = begun(host)
                taken += 1
            else:
                text = refusal(response)
                assert "wait for the operator already" in text or "too fast" in text, text
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(some, range(8)))
    assert taken == len(host.proposals()) == 16, taken
    assert host.memory < MEMORY, host.memory


def large(host: Host) -> None:
    """100 MB in one body, with and without its length said first, are not read."""
    for head, part in [
        ("Content-Length: 104857600\r\n", b"x" * 65536),
        ("Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ]:
        with socket.create_connection(("127.0.0.1", host.port), timeout=60) as client:
            client.sendall(
                f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nContent-Type: application/json\r\n{head}\r\n".encode()
            )
            sent = 0
            try:
                for _ in range(1600):
                    client.sendall(part)
                    sent += len(part)
            except OSError:
                pass
            assert sent < 100 << 20, "all of it was taken"
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as client:
        try:
            client.sendall(b"GET /mcp HTTP/1.1\r\nX: " + b"a" * (1 << 20))
            assert b" 200 " not in client.recv(100)
        except OSError:
            pass
    assert begun(host).ask("ping")["result"] == {}
    assert host.memory < MEMORY, host.memory


def silent(host: Host) -> None:
    """Connections that say half a head, or a body byte by byte, take nobody's place for long."""
    held = []
    slow = f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    for number in range(400):
        client = socket.create_connection(("127.0.0.1", host.port), timeout=60)
        client.sendall([b"POST /mcp HT", slow.encode(), b""][number % 3])
        held.append(client)

    def drip() -> None:
        for _ in range(60):
            for client in held[1::3]:
                try:
                    client.send(b" ")
                except OSError:
                    pass
            time.sleep(1)

    threading.Thread(target=drip, daemon=True).start()
    begin = time.monotonic()
    assert begun(host).ask("ping")["result"] == {}
    took = time.monotonic() - begin
    assert took < 60, took
    print(f"  served after {took:.1f} s behind 400 silent connections")
    assert host.memory < MEMORY, host.memory
    for client in held:
        client.close()


def vanished(host: Host) -> None:
    """More callers than may wait, each gone half: it sends no more and never closes. Their places are free again."""
    held = []
    for number in range(150):
        client = begun(host)
        response = client.block(f"h{number % 16}.example", identifier=number)
        if response.getheader("Content-Type") == "text/event-stream":
            client.connection.sock.shutdown(socket.SHUT_WR)
        held.append((client, response))
    deadline = time.monotonic() + 60
    while (response := begun(host).block("h1.example")).getheader("Content-Type") != "text/event-stream":
        assert "too many calls wait" in refusal(response)
        assert time.monotonic() < deadline, "their places stay taken"
        time.sleep(0.1)
    host.decide(host.proposal("h1.example"), "applied", words="late")
    answer = json.loads([data for _, data in events(response) if data][-1])
    assert answer["result"]["structuredContent"]["words"] == "late"
    assert host.memory < MEMORY, host.memory


def sessions(host: Host) -> None:
    """Thousands of sessions: the idle ones that are oldest are forgotten."""
    first = begun(host)
    client = Raw(host.port)
    for _ in range(5000):
        client.session = None
        client.begin()
    assert client.ask("ping")["result"] == {}
    assert first.status(request("ping")) == 404
    assert host.memory < MEMORY, host.memory


def crowd(host: Host) -> None:
    """100 calls that wait at once, each answered with its own decision; one too many is told so."""
    calls = []
    for number in range(100):
        client = begun(host)
        calls.append((number % 16, client, client.block(f"h{number % 16}.example", f"reason {number}", number)))
    assert len(host.proposals()) == 16
    decided = {f"h{number}.example": ("applied" if number % 2 else "rejected", f"words {number}") for number in range(16)}
    before = host.memory
    more = []
    for number in range(28):
        client = begun(host)
        more.append((client, client.block("h0.example", "x", number)))
    assert "too many calls wait" in refusal(begun(host).block("h1.example"))
    for proposal in host.proposals():
        state, words = decided[proposal["argument"]]
        host.decide(proposal, state, words=words)
    for number, _, response in calls:
        answer = json.loads([data for _, data in events(response) if data][-1])
        state, words = decided[f"h{number}.example"]
        assert answer["result"]["structuredContent"]["state"] == state
        assert answer["result"]["structuredContent"]["words"] == words
    assert [json.loads(list(events(response))[-1][1])["id"] for _, response in more] == list(range(28))
    assert [call[0] for call in calls] == [number % 16 for number in range(100)]
    print(f"  {before >> 20} MB with 100 calls that wait")
    assert before < MEMORY, before
