"""The process: mitmproxy's master with three addons, the reload on SIGHUP, and the end on SIGTERM."""

from __future__ import annotations

import logging
import signal
import tempfile
from pathlib import Path

from mitmproxy import master, options
from mitmproxy.addons.proxyserver import Proxyserver

from bottle_egress import loading, patches
from bottle_egress.authority import BottleTLS, load_authority, write_upstream_roots
from bottle_egress.gate import Gate
from bottle_egress.layers import NextLayer
from bottle_egress.settings import Settings

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 900


class NotListening(Exception):
    """The port could not be opened."""


class WebSocketMemory:
    """Forgets relayed messages, which mitmproxy would keep for as long as the WebSocket lives."""

    def websocket_message(self, flow) -> None:
        flow.websocket.messages.clear()


class Proxy(master.Master):
    """The proxy of one bottle. Nothing passes before `running`: the policy has no table until then."""

    def __init__(self, settings: Settings, private: Path) -> None:
        self.settings = settings
        self.policy = loading.Policy(settings.config / "routes.yaml", settings.secrets)
        self.gate = Gate(self.policy, settings.firewall)
        patches.install(self.gate)
        roots = private / "upstream-roots.pem"
        write_upstream_roots(settings.system_roots, settings.config / "upstream-roots.pem", roots)
        store = load_authority(settings.config / "ca.pem")
        super().__init__(options.Options())
        self.server = Proxyserver()
        self.addons.add(self.server, NextLayer(self.gate), BottleTLS(store), WebSocketMemory())
        self.options.update(**self._options(roots, private))

    def _options(self, roots: Path, private: Path) -> dict[str, object]:
        firewall = self.settings.firewall
        host, port = self.settings.listen
        return {
            "mode": [f"upstream:http://{firewall[0]}:{firewall[1]}" if firewall else "regular"],
            "listen_host": host,
            "listen_port": port,
            "confdir": str(private),
            "connection_strategy": "lazy",
            "upstream_cert": False,
            "rawtcp": False,
            "http2": False,
            "http3": False,
            "ssl_insecure": False,
            "ssl_verify_upstream_trusted_ca": str(roots),
            "validate_inbound_headers": True,
            "store_streamed_bodies": False,
            "tcp_timeout": _IDLE_SECONDS,
        }

    async def running(self) -> None:
        """Runs once the port was to be opened. The signal handler comes before the first load, so no reload is lost."""
        await super().running()
        if not self.server.listen_addrs():
            raise NotListening
        self.event_loop.add_signal_handler(signal.SIGTERM, self.shutdown)
        self.event_loop.add_signal_handler(signal.SIGINT, self.shutdown)
        self.event_loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._load()

    def _reload(self) -> None:
        try:
            self._load()
        except Exception as error:
            logger.error("the reload failed", exc_info=error)

    def _load(self) -> None:
        """Load, cut what is no longer allowed, then confirm. The link tells the truth or stays as it was."""
        generation = self.policy.load()
        for client in self.gate.no_longer_allowed():
            if handler := self.server.connections.get(client):
                handler.abort()
        loading.confirm(self.settings.link, generation)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="egress-proxy-") as private:
        await Proxy(settings, Path(private)).run()
