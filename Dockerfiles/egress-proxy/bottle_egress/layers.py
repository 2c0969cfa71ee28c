"""Which protocol a connection may speak: HTTP to the proxy, then TLS, then HTTP. Any other is closed."""

from __future__ import annotations

import logging

from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import commands, layer, layers
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.http import HTTPMode

from bottle_egress.admission import Admission
from bottle_egress.connections import BoundedHttpLayer
from bottle_egress.pace import Phase
from bottle_egress.tls_layers import BoundedGreeting

logger = logging.getLogger(__name__)


class Closed(layer.Layer):
    """Ends the client connection at the first event."""

    def _handle_event(self, event):
        yield commands.CloseConnection(self.context.client)


class NextLayer:
    """The addon that chooses the next layer. It replaces mitmproxy's own, which guesses and relays raw bytes."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        data = nextlayer.data_client()
        if not data:
            return
        pace = nextlayer.context.client.pace
        if pace.phase is Phase.GREETING:
            pace.turn(Phase.HELLO)
        try:
            nextlayer.layer = self._pick(nextlayer.context, data)
        except Exception as error:
            logger.error("choosing a layer failed", exc_info=error)
            nextlayer.layer = Closed(nextlayer.context)

    def _pick(self, context, data: bytes):
        top = context.layers[-1]
        if isinstance(top, layers.ClientTLSLayer):
            return BoundedHttpLayer(context, HTTPMode.transparent)
        letter = data.lstrip(b"\r\n")[:1].isalpha()
        if isinstance(top, modes.HttpProxy | modes.HttpUpstreamProxy):
            if letter or not data.strip(b"\r\n"):
                upstream = isinstance(top, modes.HttpUpstreamProxy)
                return BoundedHttpLayer(context, HTTPMode.upstream if upstream else HTTPMode.regular)
        elif data[0] == 0x16:
            if len(data) < 3:
                return None
            if starts_like_tls_record(data):
                server = layers.ServerTLSLayer(context)
                server.child_layer = BoundedGreeting(context)
                return server
        elif letter:
            return BoundedHttpLayer(context, HTTPMode.transparent)
        self._admission.note_bytes("the bytes are not HTTP")
        return Closed(context)
