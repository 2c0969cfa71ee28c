"""An agent that means harm against the server: usage: hostile-client.py EXECUTABLE [SCENARIO…]. Prints one line a scenario."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from crowds import crowd, flood, large, sessions, silent, vanished
from host import Host, served
from messages import fuzzed, planted, protocol, refused
from raw import Raw, begun, events


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


def taken_up(host: Host) -> None:
    """A stream that takes another's place serves the call from then on, and ends when that is cancelled."""
    client = begun(host)
    first = client.block("a.example", identifier=7)
    event, _ = next(events(first))
    other = Raw(host.port)
    other.session = client.session
    second = other.send(None, "GET", Last_Event_ID=event)
    assert second.status == 200
    assert [data for _, data in events(first) if data] == []
    third = Raw(host.port)
    third.session = client.session
    assert third.ask("ping")["result"] == {}
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    assert third.status(cancel) == 202
    host.decide(host.proposal("a.example"), "rejected")
    assert [data for _, data in events(second) if data] == []


def main() -> None:
    scenarios = (protocol, refused, planted, fuzzed, flood, large, silent, vanished, sessions, crowd)
    scenarios += (resuming, cancelled, taken_up)
    for scenario in scenarios:
        if sys.argv[2:] and scenario.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as folder, served(sys.argv[1:2], Path(folder)) as host:
            begin = time.monotonic()
            scenario(host)
            print(f"ok {scenario.__name__} {time.monotonic() - begin:.1f} s, {host.memory >> 20} MB", flush=True)


main()
