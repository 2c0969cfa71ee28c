"""Starts the proxy with its files in one folder, and with one part broken when a fault is named."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from bottle_egress import __main__ as entry


def broken(*_args, **_kwargs):
    raise RuntimeError("broken on purpose by s3cret-value")


def apply(fault: str) -> None:
    """Break what the fault names."""
    entry._skip_unused_addons()
    from bottle_egress import authority, gate, layers, listening, patches, pinned, proxy, record, refusal

    places = {
        "judge": (gate, "judge"),
        "credentials": (gate.judge.__globals__, "_upstream_headers"),
        "choke-point": (patches.GatedStream, "check_killed"),
        "apply": (patches.GatedStream, "_apply"),
        "facts": (patches.GatedStream, "_facts"),
        "connection": (patches.GatedStream, "make_server_connection"),
        "may-connect": (gate.Gate, "may_connect"),
        "note": (gate.Gate, "note"),
        "table": (patches.Gate, "admit"),
        "request-head": (patches.BoundedServer, "read_headers"),
        "response-head": (patches.BoundedClient, "read_headers"),
        "greeting": (patches.BoundedGreeting, "receive_handshake_data"),
        "tls-client": (authority.BottleTLS, "tls_start_client"),
        "tls-server": (authority.BottleTLS, "tls_start_server"),
        "certificate": (authority.BottleTLS, "get_cert"),
        "tunnel": (patches.FirewallTunnel, "start_handshake"),
        "next-layer": (layers.NextLayer, "next_layer"),
        "pick": (layers.NextLayer, "_pick"),
        "refusal": (refusal, "body"),
        "record": (record.Record, "flush"),
    }
    if fault in places:
        place, name = places[fault]
        place.__setitem__(name, broken) if isinstance(place, dict) else setattr(place, name, broken)
    elif fault == "hooks":
        for name in ("requestheaders", "request", "responseheaders", "response", "server_connect", "server_connected"):
            setattr(layers.NextLayer, name, broken)
    elif fault == "no-verdict":
        patches.GatedStream.check_killed = lambda self, _: iter(())
    elif fault == "reload":
        load, calls = proxy.Proxy._load, []
        proxy.Proxy._load = lambda self: broken() if calls else calls.append(load(self))
    elif fault == "device":
        listening.socket.SO_BINDTODEVICE = 0x7FFF
    elif fault == "source":
        pinned.SOURCES["mitmproxy.proxy.server"] = "0" * 64
    elif fault == "version":
        pinned.VERSION = "12.2.4"
    elif fault:
        raise SystemExit(f"no such fault: {fault}")


def shorten(limits: dict[str, float]) -> None:
    """Replace limits: those of phases and their pauses by seconds, constants of patches and record by name."""
    from bottle_egress import pace, patches, record

    for name, value in limits.items():
        if name in pace.Phase.__members__:
            phase = pace.Phase[name]
            pace.SECONDS[phase] = value
            if phase in pace.PAUSES:
                pace.PAUSES[phase] = value
        else:
            module = record if hasattr(record, name) else patches
            setattr(module, name, type(getattr(module, name))(value))


folder = Path(sys.argv[1])
apply(sys.argv[2])
shorten(json.loads(sys.argv[3]))
sys.exit(
    entry.main(
        config=folder,
        link=folder / "loaded",
        ledger=folder / "grants.json",
        system_roots=Path(os.environ.get("TEST_ROOTS", "/etc/ssl/certs/ca-certificates.crt")),
    )
)
