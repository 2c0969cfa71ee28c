"""The process: mitmproxy's master with its addons, reload on SIGHUP, a watch twice a second, shutdown on SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import tempfile
from pathlib import Path
from time import monotonic

from mitmproxy import master, options
from mitmproxy.addons.proxyserver import Proxyserver

from bottle_egress import listening, loading
from bottle_egress.admission import Admission
from bottle_egress.authority import BottleTLS, load_authority, write_upstream_roots
from bottle_egress.connections import BoundedHandler
from bottle_egress.grant_uses import GrantUses
from bottle_egress.install import install
from bottle_egress.layers import NextLayer
from bottle_egress.listening import NotListening
from bottle_egress.record import Record
from bottle_egress.settings import Settings

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 0.5


class Proxy(master.Master):
    """The proxy of one bottle. Nothing passes before `running`, since the policy has no table until then."""

    def __init__(self, settings: Settings, private: Path, refusals: Record, errors: Record) -> None:
        self.settings = settings
        self._records = (refusals, errors)
        self.policy = loading.Policy(settings.config / "routes.yaml", settings.secrets)
        self.grant_uses = GrantUses(settings.grants)
        self.admission = Admission(self.policy, self.grant_uses, settings.firewall, refusals.write)
        install(self.admission)
        roots = private / "upstream-roots.pem"
        write_upstream_roots(settings.system_roots, settings.config / "upstream-roots.pem", roots)
        store = load_authority(settings.config / "ca.pem")
        super().__init__(options.Options())
        self.server = Proxyserver()
        self.addons.add(self.server, NextLayer(self.admission), BottleTLS(store))
        self.options.update(**self._options(roots, private))
        self._device: tuple[str, int] | None = None
        self._watching: asyncio.Task | None = None

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
            "tls_version_client_min": "TLS1_2",
            "tls_version_server_min": "TLS1_2",
            "validate_inbound_headers": True,
            "store_streamed_bodies": False,
        }

    async def running(self) -> None:
        """Runs after mitmproxy has tried to open the port.

        The signal handler is set before the first load, so no reload is lost.
        """
        await super().running()
        if not self.server.listen_addrs():
            failure = next((each.last_exception for each in self.server.servers), None)
            raise failure if isinstance(failure, NotListening) else NotListening("the port could not be opened")
        self._device = listening.device_of(self.settings.listen[0])
        self.event_loop.add_signal_handler(signal.SIGTERM, self.shutdown)
        self.event_loop.add_signal_handler(signal.SIGINT, self.shutdown)
        self.event_loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._watching = asyncio.create_task(self._watch())
        # Objects of the start are never collected, so that the garbage of closed connections is found sooner.
        gc.collect()
        gc.freeze()
        self._load()

    async def _watch(self) -> None:
        """Twice a second: end slow connections, write waiting lines, follow the device. Grants end on time."""
        while True:
            left = self.grant_uses.seconds_to_end()
            await asyncio.sleep(_WATCH_SECONDS if left is None else max(0.0, min(_WATCH_SECONDS, left)))
            self._end_grants()
            try:
                BoundedHandler.sweep(monotonic())
                for record in self._records:
                    record.flush()
                await self._follow_device()
            except Exception as error:
                logger.error("the watch failed", exc_info=error)

    async def _follow_device(self) -> None:
        """Listen again when the address has moved to another device, which happens when a network is attached again."""
        try:
            device = listening.device_of(self.settings.listen[0])
        except NotListening:
            return
        if device == self._device and self.server.listen_addrs():
            return
        for instance in self.server.servers:
            if instance.is_running:
                await instance.stop()
            await instance.start()
        self._device = device

    def _reload(self) -> None:
        try:
            self._load()
        except Exception as error:
            logger.error("the reload failed", exc_info=error)

    def _load(self) -> None:
        """Load, cut what is no longer allowed, then confirm. The link is true, or unchanged."""
        generation = self.policy.load()
        if self.policy.table is not None:
            self.grant_uses.name(self.policy.table.grants())
        self._cut()
        loading.confirm(self.settings.link, generation)

    def _end_grants(self) -> None:
        """Cut the requests under grants that have expired; the clock may also have been changed."""
        try:
            if self.grant_uses.note_ended():
                self._cut()
        except Exception as error:
            logger.error("a grant that ended was not seen to", exc_info=error)

    def _cut(self) -> None:
        for client in self.admission.no_longer_allowed():
            if handler := self.server.connections.get(client):
                handler.abort()


async def serve(settings: Settings, refusals: Record, errors: Record) -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="egress-proxy-") as private:
        await Proxy(settings, Path(private), refusals, errors).run()
