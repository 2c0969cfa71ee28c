"""A client of the MCP endpoint that says what it likes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Protocol

NEWEST = "2025-11-25"


class Served(Protocol):
    """What is listened at."""

    port: int


class Raw:
    """One connection and, once `begin` was called, one session."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session: str | None = None
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, body: object, method: str = "POST", **headers: str) -> http.client.HTTPResponse:
        fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if self.session:
            fields["Mcp-Session-Id"] = self.session
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, bytes | str | None) else json.dumps(body)
        self.connection.request(method, "/mcp", text, {name: value for name, value in fields.items() if value})
        return self.connection.getresponse()

    def status(self, body: object, method: str = "POST", **headers: str) -> int:
        response = self.send(body, method, **headers)
        response.read()
        return response.status

    def ask(self, method: str, parameters: object = None, identifier: object = 1, **headers: str) -> dict:
        """A question that is answered at once."""
        response = self.send(request(method, parameters, identifier), **headers)
        assert response.getheader("Content-Type") == "application/json", response.read()
        return json.loads(response.read())

    def begin(self, version: str = NEWEST) -> dict:
        response = self.send(request("initialize", {"protocolVersion": version, "capabilities": {}}))
        self.session = response.getheader("Mcp-Session-Id")
        return json.loads(response.read())["result"]

    def call(self, tool: str, arguments: dict, identifier: object = 1) -> http.client.HTTPResponse:
        return self.send(request("tools/call", {"name": tool, "arguments": arguments}, identifier))

    def block(self, name: str, justification: str = "x", identifier: object = 1) -> http.client.HTTPResponse:
        return self.call("firewall-block", {"hosts": name, "justification": justification}, identifier)

    def close(self) -> None:
        self.connection.close()


def begun(host: Served, version: str = NEWEST) -> Raw:
    client = Raw(host.port)
    client.begin(version)
    return client


def refusal(response: http.client.HTTPResponse) -> str:
    result = json.loads(response.read())["result"]
    assert result["isError"], result
    return result["content"][0]["text"]


def request(method: str, parameters: object = None, identifier: object = 1) -> dict:
    message = {"jsonrpc": "2.0", "id": identifier, "method": method}
    return message if parameters is None else message | {"params": parameters}


def events(response: http.client.HTTPResponse) -> Iterator[tuple[str | None, str]]:
    """Identifier and data of each server-sent event that has any."""
    identifier, data = None, None
    for line in response:
        text = line.decode().rstrip("\n")
        if text.startswith("id: "):
            identifier = text[4:]
        elif text.startswith("data: "):
            data = text[6:]
        elif not text and data is not None:
            yield identifier, data
            identifier, data = None, None
