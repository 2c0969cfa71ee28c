"""The tunnel through the firewall, whose answer to CONNECT is read within bounds."""

from __future__ import annotations

from mitmproxy.proxy.layers.http import _upstream_proxy as upstream_proxy

from bottle_egress import obstacle
from bottle_egress.bounded_http1 import MAX_HEAD, STATUS_LINE, STATUS_LINE_SIZE
from bottle_egress.pace import Phase


class FirewallTunnel(upstream_proxy.HttpUpstreamProxy):
    """The CONNECT to the firewall. Of its answer only the status is used, and its size is bounded."""

    def start_handshake(self):
        self.context.client.pace.enter(Phase.SECURING)
        yield from super().start_handshake()

    def receive_handshake_data(self, data):
        if not self.send_connect or STATUS_LINE.match(bytes(self.buf) + data) is None:
            if len(self.buf) + len(data) > STATUS_LINE_SIZE and self.send_connect:
                return False, obstacle.UNREACHABLE
            return (yield from super().receive_handshake_data(data))
        status = int((bytes(self.buf) + data)[9:12])
        done, failure = yield from super().receive_handshake_data(data)
        if failure:
            failure = obstacle.refused_by_firewall(status)
        elif not done and len(self.buf) > MAX_HEAD:
            failure = obstacle.UNREACHABLE
        return done, failure
