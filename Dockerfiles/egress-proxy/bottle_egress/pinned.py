"""The SHA-256 of the sources that our code was written for: `check` refuses any other.

Our code uses private names of mitmproxy, of its parser (h11), of its TLS library (pyOpenSSL) and of asyncio. A private
name may change its meaning in any release, and then a request could pass unjudged. So every module with a private name
that we use is pinned here; `tests/test_pinned.py` finds those names in our source and fails when a pin is missing.

Packages from PyPI are pinned as whole modules. The Dockerfile fixes their versions, so they change only when we
change it.

Python is pinned by function. It is Debian's package, and a security release changes it without us. Most of those leave
the functions alone that we rely on, and then nothing happens. When one of them changes, the rule is the same as for
mitmproxy: the proxy doesn't start, since a reader that loses or doubles bytes would make the server see a request that
was not judged. The build of the image runs `check` too, so that the build fails first, and the image in use stays until
a person has read the new function and put its hash here.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import operator
from pathlib import Path

VERSION = "12.2.3"
"""The version of mitmproxy."""
SOURCES = {
    "OpenSSL.SSL": "29670e4acc77940af107ba34b7f42f0be610554cbaf4d1fb4910911a62d6769e",
    "h11._readers": "6b8472a4e454082dddd2afe4c4fb8120cee34c3f222ede57f754c7d05b1db8de",
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
"""Modules by the hash of their file."""
FUNCTIONS = {
    "asyncio.selector_events": {
        "_SelectorSocketTransport._read_ready__data_received": "5102515807516a67fa02b8c18b7ce026b99d9dabe11b78a9ccb27cadd4e01299",  # noqa: E501
    },
    "asyncio.streams": {
        "StreamReader.__init__": "0f6cb86b39c164211dd85f680c81e55ec4280db979feadf544bd60727c4d0bee",
        "StreamReader._maybe_resume_transport": "9f458ca68d19a38ead6936820f3532a4dc88d7d3b2eb1534c65f4b27647f2286",
        "StreamReader._wait_for_data": "3064c5757b9dd9afd494a68d2cad1b46dd6bff0e29890c0c545ee48d5f38e827",
        "StreamReader._wakeup_waiter": "6d54176c6257ad8746a6d4ee555693f19821328881599e550a53bdc5bbe7f54e",
        "StreamReader.feed_data": "f1dc194f7bceb07d20affc4eab925f481de4bb6ce043cbb50cfd65bf3a091210",
        "StreamReader.feed_eof": "ca005b01cc4e34068b9c4ed048f628bfeac57ff1980afdb8ad31381fc1bcadbc",
        "StreamReader.read": "b3e781f2317fe198bc067c2db13883ef3aa25659cb864f923f5d96ab4f1d09b4",
        "StreamReaderProtocol.data_received": "e57e2bc9772342e51fb9e35a145e835c62946d01ea0305e116e6f790778e212e",
    },
}
"""Functions of the standard library, by module, each with the hash of its text."""


class UnknownSource(Exception):
    """The installed code is not the code that ours was written for."""


def source_hash(module: str) -> str:
    """SHA-256 of a module's source file."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UnknownSource(f"{module} is missing")
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def function_hash(module: str, name: str) -> str:
    """SHA-256 of the text of one function or method of a module."""
    try:
        text = inspect.getsource(operator.attrgetter(name)(importlib.import_module(module)))
    except (ImportError, AttributeError, TypeError, OSError) as error:
        raise UnknownSource(f"{module}.{name} is missing") from error
    return hashlib.sha256(text.encode()).hexdigest()


def check() -> None:
    """Raises UnknownSource when the version or any source differs."""
    if (version := importlib.metadata.version("mitmproxy")) != VERSION:
        raise UnknownSource(f"mitmproxy is {version}, not {VERSION}")
    for module, expected in SOURCES.items():
        if source_hash(module) != expected:
            raise UnknownSource(f"the source of {module} differs")
    for module, functions in FUNCTIONS.items():
        for name, expected in functions.items():
            if function_hash(module, name) != expected:
                raise UnknownSource(f"the source of {module}.{name} differs")
