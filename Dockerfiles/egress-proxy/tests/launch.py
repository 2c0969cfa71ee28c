"""Starts the proxy with its files in one folder, and with one part broken when a fault is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bottle_egress import __main__ as entry


def broken(*_args, **_kwargs):
    raise RuntimeError("broken on purpose by s3cret-value")


def apply(fault: str) -> None:
    """Break what the fault names."""
    entry._skip_unused_addons()
    from bottle_egress import gate, layers, patches, proxy

    if fault == "judge":
        gate.judge = broken
    elif fault == "credentials":
        gate.judge.__globals__["_upstream_headers"] = broken
    elif fault == "hooks":
        for name in ("requestheaders", "request", "responseheaders", "response", "server_connect", "server_connected"):
            setattr(proxy.WebSocketMemory, name, broken)
    elif fault == "next-layer":
        layers.NextLayer.next_layer = broken
    elif fault == "no-verdict":
        patches.GatedStream.check_killed = lambda self, _: iter(())
    elif fault == "apply":
        patches.GatedStream._apply = broken
    elif fault == "source":
        patches.SOURCES["mitmproxy.proxy.server"] = "0" * 64
    elif fault == "version":
        patches.VERSION = "12.2.4"
    elif fault:
        raise SystemExit(f"no such fault: {fault}")


folder = Path(sys.argv[1])
apply(sys.argv[2])
sys.exit(
    entry.main(
        config=folder,
        link=folder / "loaded",
        system_roots=Path(os.environ.get("TEST_ROOTS", "/etc/ssl/certs/ca-certificates.crt")),
    )
)
