"""Starts the proxy with all its files in one folder; if a fault is named, that part is broken."""

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
    from bottle_egress import admission, authority, layers, listening, pinned, proxy, record, refusal
    from bottle_egress.admitted_stream import AdmittedStream
    from bottle_egress.bounded_http1 import BoundedClient, BoundedServer
    from bottle_egress.firewall_tunnel import FirewallTunnel
    from bottle_egress.tls_layers import BoundedGreeting

    places = {
        "judge": (admission, "judge"),
        "credentials": (admission.judge.__globals__, "_upstream_headers"),
        "choke-point": (AdmittedStream, "check_killed"),
        "apply": (AdmittedStream, "_apply"),
        "facts": (AdmittedStream, "_facts"),
        "connection": (AdmittedStream, "make_server_connection"),
        "may-connect": (admission.Admission, "may_connect"),
        "note": (admission.Admission, "note"),
        "table": (admission.Admission, "admit"),
        "request-head": (BoundedServer, "read_headers"),
        "response-head": (BoundedClient, "read_headers"),
        "greeting": (BoundedGreeting, "receive_handshake_data"),
        "tls-client": (authority.BottleTLS, "tls_start_client"),
        "tls-server": (authority.BottleTLS, "tls_start_server"),
        "certificate": (authority.BottleTLS, "get_cert"),
        "tunnel": (FirewallTunnel, "start_handshake"),
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
        AdmittedStream.check_killed = lambda self, _: iter(())
    elif fault == "reload":
        load, calls = proxy.Proxy._load, []
        proxy.Proxy._load = lambda self: broken() if calls else calls.append(load(self))
    elif fault == "device":
        listening.socket.SO_BINDTODEVICE = 0x7FFF
    elif fault == "source":
        pinned.SOURCES["mitmproxy.proxy.server"] = "0" * 64
    elif fault == "function":
        pinned.FUNCTIONS["asyncio.streams"]["StreamReader.read"] = "0" * 64
    elif fault == "version":
        pinned.VERSION = "12.2.4"
    elif fault:
        raise SystemExit(f"no such fault: {fault}")


def shorten(limits: dict[str, float]) -> None:
    """Replace limits: the seconds of a phase and its pause, or a constant of connections or record."""
    from bottle_egress import connections, pace, record

    for name, value in limits.items():
        if name in pace.Phase.__members__:
            phase = pace.Phase[name]
            pace.SECONDS[phase] = value
            if phase in pace.PAUSES:
                pace.PAUSES[phase] = value
        else:
            module = record if hasattr(record, name) else connections
            setattr(module, name, type(getattr(module, name))(value))


folder = Path(sys.argv[1])
apply(sys.argv[2])
shorten(json.loads(sys.argv[3]))
sys.exit(
    entry.main(
        config=folder,
        link=folder / "loaded",
        grants=folder / "grants.json",
        system_roots=Path(os.environ.get("TEST_ROOTS", "/etc/ssl/certs/ca-certificates.crt")),
    )
)
