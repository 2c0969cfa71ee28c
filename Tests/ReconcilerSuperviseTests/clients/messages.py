"""What an agent says that is no question, and what it leaves lying about."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import time
import unicodedata
from http.client import HTTPException
from pathlib import Path
from random import Random

import damage
from host import MEMORY, Host
from raw import NEWEST, Raw, begun, events, refusal, request


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
    for name in ("../../out/current", "/etc/passwd", "0" * 31, "0" * 32 + "\0", "\x1b[2J", "\u202e", ""):
        answer = client.ask("tools/call", {"name": "proposal-status", "arguments": {"id": name}})
        text = json.dumps(answer)
        assert "error" in answer or answer["result"]["isError"], text
        assert "abc" not in text and "root:" not in text, text
    assert host.proposals() == []


def planted(host: Host) -> None:
    """Whatever lies in the queue's folder: the server comes up, waits for none of it and follows nothing."""
    assert host.stop() == 0
    folder = host.folder / "in"

    def name(digit: str) -> Path:
        return folder / f"{digit * 32}.json"

    outside = host.folder / "outside.json"
    outside.write_text("{}")
    for number, target in enumerate(("/etc/passwd", "/dev/zero", "/dev/tty", "nowhere", name("4").name, "..", outside)):
        name(str(number)).symlink_to(target)
    os.mkfifo(name("a"))
    os.mkfifo(folder / f".{'a' * 32}.json.0.tmp")
    for made in (name("b"), folder / f".{'b' * 32}.json.0.tmp"):
        made.mkdir()
    with open(name("c"), "wb") as sparse:
        sparse.truncate(100 << 30)
    os.link(outside, name("d"))
    name("e").write_text("[" * 100_000)
    for strange in ("\x1b[2J.json", "\u202e.json", "a\nb.json", "x" * 255):
        (folder / strange).write_text("{}")
    present = sorted(os.listdir(folder))
    host.start()
    client = begun(host)
    response = client.block("a.example")
    assert response.getheader("Content-Type") == "text/event-stream"
    proposal = next(json.loads(file.read_text()) for file in folder.glob("*.json") if is_of(file, "a.example"))
    host.decide(proposal, "applied", words="yes")
    answer = json.loads([data for _, data in events(response) if data][-1])
    assert answer["result"]["structuredContent"]["words"] == "yes"
    status = json.dumps(client.ask("tools/call", {"name": "proposal-status", "arguments": {}}))
    assert "\\u001b" not in status and "root:" not in status, status
    assert host.memory < MEMORY, host.memory
    assert outside.read_text() == "{}"
    # Only what a killed writer may have left was taken away.
    gone = set(present) - set(os.listdir(folder))
    assert gone == {f".{'a' * 32}.json.0.tmp"}, gone


def is_of(file: Path, argument: str) -> bool:
    """Whether it is a proposal's regular file; nothing else is opened."""
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > 1 << 20:
        return False
    try:
        return json.loads(file.read_text())["argument"] == argument
    except (ValueError, LookupError, RecursionError):
        return False


def fuzzed(host: Host) -> None:
    """Bodies and heads with random damage: each is answered as what it is, and none does what it must not."""
    seed = int(os.environ.get("BOTTLE_TEST_SEED", "") or time.time_ns())
    print(f"  seed of the damage: BOTTLE_TEST_SEED={seed}")
    random = Random(seed)
    client = begun(host)
    statuses: dict[int, int] = {}
    for number in range(2500):
        body = damage.body(random, number)
        try:
            response = client.send(body)
        except (OSError, HTTPException):
            # Closed on it; the next one comes on another connection.
            client.close()
            statuses[0] = statuses.get(0, 0) + 1
            continue
        statuses[response.status] = statuses.get(response.status, 0) + 1
        assert response.status in (200, 202, 400, 404), (response.status, body)
        kind = response.getheader("Content-Type")
        if kind == "text/event-stream":
            client.close()
        elif kind == "application/json":
            json.loads(response.read())
        else:
            response.read()
        assert client.session is not None
    print(f"  answers: {dict(sorted(statuses.items()))}")
    # Damage that nobody minds, damage that is seen, and no server that hangs up on all of it.
    assert statuses.get(200, 0) > 50 and statuses.get(400, 0) > 500 and statuses.get(0, 0) < 50, statuses
    for _ in range(400):
        sent = damage.head(random, host.port)
        with socket.create_connection(("127.0.0.1", host.port), timeout=60) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(1 << 16)
            except OSError:
                continue
        assert answer == b"" or answer.startswith(b"HTTP/1."), (sent, answer)
        # Nobody has that session, whatever became of the head.
        assert b" 200 " not in answer.split(b"\r\n")[0], (sent, answer)
    assert begun(host).ask("ping")["result"] == {}
    assert host.memory < MEMORY, host.memory
    for name in os.listdir(host.folder / "in"):
        assert re.fullmatch(r"[0-9a-f]{32}\.json", name), name
    proposals = host.proposals()
    assert len(proposals) <= 16
    for proposal in proposals:
        for character in proposal["argument"] + proposal["justification"]:
            harmless = unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")
            assert harmless or character in "\n\r\t\u200c\u200d", proposal
