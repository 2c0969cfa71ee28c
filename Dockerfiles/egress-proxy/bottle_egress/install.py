"""Puts our classes in the place of mitmproxy's, all at once or not at all.

mitmproxy's hooks can't enforce a policy: when a hook raises, mitmproxy logs it and lets the request go on. So the
decision is made in the request's own state machine (`AdmittedStream.check_killed`, which every way upstream passes).
The last check is right before the socket (`BoundedHandler.open_connection`), and a crash closes its connection. What
stock code collects without a bound (heads, trailers, messages, greetings, bodies that wait for their server,
connections) is bounded, and its error pages, which name addresses and the program, are replaced. `install` refuses
when the source of anything that it reaches into differs from what our classes were written for (`pinned.py`).
"""

from __future__ import annotations

import asyncio

from mitmproxy.net import tls as net_tls
from mitmproxy.proxy import mode_servers
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers import tls, websocket
from mitmproxy.proxy.layers.http import _http1 as http1
from mitmproxy.proxy.layers.http import _upstream_proxy as upstream_proxy

from bottle_egress import listening, pinned
from bottle_egress.admission import Admission
from bottle_egress.admitted_stream import AdmittedStream
from bottle_egress.bounded_http1 import BoundedClient, BoundedServer, body_reader
from bottle_egress.connections import BoundedHandler
from bottle_egress.firewall_tunnel import FirewallTunnel
from bottle_egress.inbox import Inbox
from bottle_egress.tls_layers import BoundedGreeting, VerifiedTLS, with_closed_contexts
from bottle_egress.websocket_relay import RelayedWebSocket


def install(admission: Admission) -> None:
    """Put the classes in place, with this admission. Raises UnknownSource, and changes nothing, when a pin differs."""
    pinned.check()
    for patched in (AdmittedStream, BoundedHandler, BoundedServer, BoundedGreeting):
        patched.admission = admission
    http_layer.HttpStream = AdmittedStream
    http_layer.Http1Server = BoundedServer
    http_layer.Http1Client = BoundedClient
    http1.make_body_reader = body_reader
    http1.ReceiveBuffer = Inbox
    tls.ServerTLSLayer = VerifiedTLS
    upstream_proxy.HttpUpstreamProxy = FirewallTunnel
    websocket.WebsocketLayer = RelayedWebSocket
    net_tls.create_client_proxy_context = with_closed_contexts(net_tls.create_client_proxy_context)
    net_tls.create_proxy_server_context = with_closed_contexts(net_tls.create_proxy_server_context)
    mode_servers.ProxyConnectionHandler = BoundedHandler
    mode_servers.AsyncioServerInstance.listen = _listen


async def _listen(instance, host: str, port: int) -> list[asyncio.Server]:
    """Listen on one device; stock code listens on all."""
    return [await asyncio.start_server(instance.handle_stream, sock=listening.open_listener(host, port))]
