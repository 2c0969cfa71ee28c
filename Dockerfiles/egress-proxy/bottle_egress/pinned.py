"""The one mitmproxy that patches.py was written for, known by the source of every module it reaches into, those of its
parser and of its TLS library included."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

VERSION = "12.2.3"
SOURCES = {
    "OpenSSL.SSL": "29670e4acc77940af107ba34b7f42f0be610554cbaf4d1fb4910911a62d6769e",
    "h11._receivebuffer": "c6bb29b1db0d81617145f41c4d7c51f11add8d15d74cad08a39710616a49d56b",
    "mitmproxy.addons.proxyserver": "a49266a3774fbb9eba48b364adf4dd166532eeadef62eaff04a5031aaf52f6cc",
    "mitmproxy.addons.tlsconfig": "c663494472e1af7c2f6b30867a0d74dcc5cb1c95f7b87284246fdbb4abe65dcb",
    "mitmproxy.certs": "ae28677e520565d7282054ab4e3bfad44dad4b745d5fd73a73d57959500e08b6",
    "mitmproxy.connection": "e8e7f3a695e17cd134be6728258a98bdcbda52304655532595b31564732ca726",
    "mitmproxy.net.http.http1.read": "ecc1c13bd4467ac776c009c03149dd487771e0c7753721038229830f3e0d8cb4",
    "mitmproxy.net.http.validate": "9c77e4d6c20f54f34afed14cad61e5ca5bd6494adc32e2babadc971aa4f23385",
    "mitmproxy.net.tls": "b948d59c83a8537b98db986db6d1b59f50e9ad30c09c349e1830215cba33961b",
    "mitmproxy.proxy.layer": "c45454046edfdf03a62642405857fbf48d309c9cd1112e5d0f605cf6ccc79a13",
    "mitmproxy.proxy.layers.http": "0e7b3474f7febddcf81cb69685f3cd9a3b7af9c849ae47925add565e9ed67d4c",
    "mitmproxy.proxy.layers.http._http1": "a2ed8918f1c4a0704715a6881acc82249a92ff147909f250a22a7a2edb0aa6ee",
    "mitmproxy.proxy.layers.http._upstream_proxy": "9205bd003b1f96ceef9691b7a196bd49931022fa2e21d699996d60eca7fae94a",
    "mitmproxy.proxy.layers.tls": "76e315d8e64355a757183d3f4dbace43550ce4092d1907547ed9ddf40c6a2c39",
    "mitmproxy.proxy.layers.websocket": "1c3e6090aa92f884a2813c2c988be9ec20afc4cd2170a3de36f5bc3689926fb4",
    "mitmproxy.proxy.mode_servers": "1b980ec81b97843fa37ca182c2bcabef0d3eb3a685af8aecf1e5d5f7964abd7d",
    "mitmproxy.proxy.server": "8e7a49721801ffc20acfe9e8dd723a0c65dfb14933832bca70137c17e352bcbe",
    "mitmproxy.proxy.tunnel": "a063fb4bc7f50f91d4351ab65bd93debb50f9eb26dd4dc8f8022f4141def9432",
}


class UnknownMitmproxy(Exception):
    """The installed mitmproxy is not the one that the patches were written for."""


def source_hash(module: str) -> str:
    """SHA-256 of a module's source file."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UnknownMitmproxy(f"{module} is missing")
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def check() -> None:
    """Raises UnknownMitmproxy when the version or any source differs."""
    if (version := importlib.metadata.version("mitmproxy")) != VERSION:
        raise UnknownMitmproxy(f"mitmproxy is {version}, not {VERSION}")
    for module, expected in SOURCES.items():
        if source_hash(module) != expected:
            raise UnknownMitmproxy(f"the source of {module} differs")
