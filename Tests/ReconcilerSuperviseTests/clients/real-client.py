"""The `mcp` package's own client against the server; prints one line a scenario.

usage: real-client.py EXECUTABLE, or IMAGE NETWORK ADDRESS for a server in a container
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from host import STATE, Host, served
from mcp.client import Client

TOOLS = {
    "egress-proxy-block",
    "firewall-block",
    "pipelock-block",
    "capability-block",
    "show-routes",
    "show-allowlist",
    "show-dockerfile",
    "recent-refusals",
    "proposal-status",
}


@asynccontextmanager
async def connected(host: Host) -> AsyncIterator[Client]:
    async with Client(host.url) as client:
        yield client


def text(result) -> str:
    return "\n".join(part.text for part in result.content)


async def patiently(call):
    return await asyncio.wait_for(call, 60)


def ask(client: Client, name: str, **options):
    arguments = {"hosts": name, "justification": f"the build needs {name}"}
    return asyncio.create_task(client.call_tool("firewall-block", arguments, **options))


async def proposed(host: Host, argument: str) -> dict:
    return await asyncio.to_thread(host.proposal, argument)


async def reading(host: Host) -> None:
    async with connected(host) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        routes = json.loads(text(await client.call_tool("show-routes", {})))
        assert routes[0]["auth"] == "kept" and routes[0]["path_allowlist"] == ["/repos/acme/"], routes
        assert text(await client.call_tool("show-allowlist", {})) == "raw.example.org"
        assert text(await client.call_tool("show-dockerfile", {})) == STATE["dockerfile"]
        refusals = text(await client.call_tool("recent-refusals", {}))
        assert "api.github.com/user refused: path" in refusals, refusals
        # What it shows, it takes back, and then nothing changes.
        again = {"routes": json.dumps(routes), "justification": "x"}
        same = await client.call_tool("egress-proxy-block", again)
        assert same.is_error and "already in force" in text(same), text(same)


async def deciding(host: Host) -> None:
    async with connected(host) as client:
        for name, state, fields, words, is_error in [
            ("a.example", "applied", {"words": "fine"}, "in force", False),
            ("b.example", "rejected", {"words": "never"}, "the operator says: never", False),
            ("c.example", "failed", {"words": "did not load"}, "because: did not load", True),
            ("d.example", "applied", {"edited": "host e.example"}, "host e.example", False),
        ]:
            call = ask(client, name)
            proposal = await proposed(host, name)
            assert not call.done()
            host.decide(proposal, "approved")
            await asyncio.sleep(0.3)
            assert not call.done(), "approved is not in force"
            host.decide(proposal, state, **fields)
            result = await patiently(call)
            assert words in text(result) and result.is_error is is_error, text(result)
            assert result.structured_content["proposal"] == proposal["id"]


async def progress(host: Host) -> None:
    """Two signs of life at least, 15 s apart."""
    async with connected(host) as client:
        seen: list[float] = []

        async def note(value: float, total: float | None, message: str | None) -> None:
            seen.append(value)
            assert "waits for the operator" in message, message

        call = ask(client, "progress.example", progress_callback=note)
        proposal = await proposed(host, "progress.example")
        for _ in range(400):
            if len(seen) >= 2:
                break
            await asyncio.sleep(0.1)
        host.decide(proposal, "applied")
        assert "in force" in text(await patiently(call))
        assert len(seen) >= 2 and seen == sorted(set(seen)), seen


async def cancelling(host: Host) -> None:
    """A call that is given up leaves its proposal, and the same call joins it."""
    async with connected(host) as client:
        try:
            await ask(client, "cancel.example", read_timeout_seconds=1)
            raise AssertionError("no timeout")
        except Exception as error:
            assert "imed out" in str(error) or "imeout" in type(error).__name__, repr(error)
        assert len(host.proposals()) == 1
        call = ask(client, "# the same\ncancel.example")
        await asyncio.sleep(0.5)
        assert len(host.proposals()) == 1 and not call.done()
        (proposal,) = host.proposals()
        host.decide(proposal, "applied")
        assert "in force" in text(await patiently(call))


async def restarting(host: Host) -> None:
    """Killed while a call waits: the same call in a new session joins; decided meanwhile, it is answered at once."""
    async with connected(host) as client:
        call = ask(client, "restart.example")
        proposal = await proposed(host, "restart.example")
        await asyncio.to_thread(host.kill)
        await asyncio.to_thread(host.start)
        try:
            result = await patiently(call)
            assert result.is_error, text(result)
        except Exception as error:
            print(f"  the call that was cut: {error}")
    async with connected(host) as client:
        call = ask(client, "restart.example")
        await asyncio.sleep(0.5)
        assert len(host.proposals()) == 1 and not call.done()
        await asyncio.to_thread(host.kill)
        host.decide(proposal, "rejected", words="no")
        await asyncio.to_thread(host.start)
        call.cancel()
    async with connected(host) as client:
        assert "the operator says: no" in text(await patiently(ask(client, "restart.example")))
        assert len(host.proposals()) == 1
        status = await client.call_tool("proposal-status", {"id": proposal["id"]})
        assert '"state":"rejected"' in text(status), text(status)


async def main() -> None:
    for scenario in (reading, deciding, progress, cancelling, restarting):
        with tempfile.TemporaryDirectory() as folder, served(sys.argv[1:], Path(folder)) as host:
            await scenario(host)
        print(f"ok {scenario.__name__}", flush=True)


asyncio.run(main())
