"""An agent that means harm against the server: usage: hostile-client.py EXECUTABLE. Prints one line a scenario."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from host import Host, served
from raw import NEWEST, Raw, events, request

# What the server may take at its worst; it takes some 25 MB when idle.
MEMORY = 160 << 20


def begun(host: Host, version: str = NEWEST) -> Raw:
    client = Raw(host.port)
    client.begin(version)
    return client


def refusal(response) -> str:
    result = json.loads(response.read())["result"]
    assert result["isError"], result
    return result["content"][0]["text"]


def protocol(host: Host) -> None:
    """What is no question of a session is answered by what it is, and ends there."""
    for offer, agreed in [(version, version) for version in ("2024-11-05", "2025-03-26", "2025-06-18", NEWEST)] + [
        ("1999-01-01", NEWEST),
        ("2026-07-28", NEWEST),
    ]:
        assert Raw(host.port).begin(offer)["protocolVersion"] == agreed
    ping = request("ping")
    fresh = Raw(host.port)
    assert fresh.status(ping) == 400
    assert fresh.status(ping, Mcp_Session_Id="0" * 32) == 404
    for forged in ("../../etc/passwd", "a" * 4000, "\x1b[2J", "'; drop table"):
        assert fresh.status(ping, Mcp_Session_Id=forged) in (400, 404)
        fresh = Raw(host.port)
    assert fresh.status(None, "DELETE", Mcp_Session_Id="0" * 32) == 404
    assert fresh.status(None, "GET", Mcp_Session_Id="0" * 32, Last_Event_ID="x-1") == 404
    client = begun(host)
    assert client.ask("ping") == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert client.ask("ping", identifier="é\u202e")["id"] == "é\u202e"
    assert client.status({"jsonrpc": "2.0", "method": "notifications/initialized"}) == 202
    assert client.status({"jsonrpc": "2.0", "id": 1, "result": {}}) == 202
    assert client.status(ping, MCP_Protocol_Version="2025-06-18") == 200
    assert client.status(ping, MCP_Protocol_Version="2025-06-19") == 400
    assert client.status(None, "GET") == 405
    assert client.ask("resources/list")["error"]["code"] == -32601
    assert client.ask("tools/call", {"name": "rm", "arguments": {}})["error"]["code"] == -32602
    assert client.ask("tools/call", {"name": "show-routes", "arguments": {"x": 1}})["error"]["code"] == -32602
    assert client.ask("tools/call", {"name": "firewall-block", "arguments": {"hosts": "a"}})["error"]["code"] == -32602
    assert client.status(json.dumps(request("ping", identifier=None))) == 400
    assert client.status(json.dumps(request("ping", identifier={"a": 1}))) == 400
    for text in ("", "{", "null", "[]", "1", '{"jsonrpc":"2.0"}', '{"a":1,"a":2}', "[" * 100_000, '{"a":' * 50_000):
        assert client.status(text) == 400, text[:40]
    for raw in (b"\xff\xfe", b'"\xed\xa0\x80"', b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\\ud800"}}'):
        assert client.status(raw) == 400
    assert client.status(json.dumps([1] * 100_000)) == 400
    assert client.status([ping]) == 400
    old = begun(host, "2025-03-26")
    response = old.send([ping, {"jsonrpc": "2.0", "method": "notifications/x"}, request("x", identifier=2)])
    assert [answer["id"] for answer in json.loads(response.read())] == [1, 2]
    assert client.status(ping, Content_Type="text/plain") == 415
    for headers, status in [
        ({"Host": "evil.example"}, 421),
        ({"Host": "supervise:1"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": f"supervise:{host.port}"}, 200),
        ({"Host": f"localhost:{host.port}", "Origin": f"http://localhost:{host.port}"}, 200),
    ]:
        other = Raw(host.port)
        other.session = client.session
        assert other.status(ping, **headers) == status, headers
    assert Raw(host.port).status(None, "PUT") == 405
    assert client.status(None, "DELETE") == 204
    assert client.status(ping) == 404


def refused(host: Host) -> None:
    """What can't be asked for is refused at once with the reason, and nothing is put into the queue."""
    client = begun(host)
    for name, justification, reason in [
        ("raw.example.org", "x", "already in force"),
        ("https://a.example/x", "x", "line 1: a host has no scheme"),
        ("*.example.net", "x", "only the operator"),
        ("a.example", "", "justification is empty"),
        ("a.example", "please\x1b[2J", "U+1B"),
        ("a.example", "yes \u202eon", "U+202E"),
        ("a.example", "x" * 9000, "9000 bytes"),
        ("# \u2066\na.example", "x", "U+2066"),
        ("../../../etc/passwd", "x", "path"),
        ("x" * 70_000, "x", "70000 bytes"),
    ]:
        text = refusal(client.block(name, justification))
        assert reason in text, text
    routes = [{"host": "new.example", "methods": ["GET"], "auth": {"token_ref": "X"}}]
    assert "operator's to write" in refusal(
        client.call("egress-proxy-block", {"routes": json.dumps(routes), "justification": "x"})
    )
    assert host.proposals() == []


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


def resuming(host: Host) -> None:
    """A stream that was cut is taken up by the id of its last event, in its own session only."""
    client = begun(host)
    response = client.block("a.example", identifier="mine")
    event, data = next(events(response))
    assert event and not data
    client.close()
    stranger = begun(host)
    assert stranger.status(None, "GET", Last_Event_ID=event) == 404
    client.connection.connect()
    for wrong in ("", "-1", "x" * 2000, event.replace("-0", "x-0"), "\x1b"):
        assert client.status(None, "GET", Last_Event_ID=wrong) in (400, 404, 405), wrong
        client.connection.close()
    again = client.send(None, "GET", Last_Event_ID=event)
    assert again.status == 200
    host.decide(host.proposal("a.example"), "applied")
    (key, data) = [pair for pair in events(again) if pair[1]][-1]
    assert key.split("-")[0] == event.split("-")[0]
    assert json.loads(data)["id"] == "mine"
    # Lost on the way: asked for again.
    client.connection.close()
    (_, data) = [pair for pair in events(client.send(None, "GET", Last_Event_ID=event)) if pair[1]][-1]
    assert json.loads(data)["result"]["structuredContent"]["state"] == "applied"


def cancelled(host: Host) -> None:
    """A cancelled call ends without an answer; one of another session can't be cancelled."""
    client = begun(host)
    response = client.block("a.example", identifier=7)
    assert response.status == 200
    other = Raw(host.port)
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    stranger = begun(host)
    assert stranger.status(cancel) == 202
    other.session = client.session
    assert other.status(cancel) == 202
    assert [data for _, data in events(response) if data] == []
    assert len(host.proposals()) == 1


def main() -> None:
    scenarios = (protocol, refused, flood, large, silent, sessions, crowd, resuming, cancelled)
    for scenario in scenarios:
        if sys.argv[2:] and scenario.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as folder, served(sys.argv[1:2], Path(folder)) as host:
            begin = time.monotonic()
            scenario(host)
            print(f"ok {scenario.__name__} {time.monotonic() - begin:.1f} s, {host.memory >> 20} MB", flush=True)


main()
