"""Fixtures: a firewall and proxies, all on loopback, all stopped at the end."""

from __future__ import annotations

import contextlib
import json
import shutil

import cases
import pytest
import world


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures memory; `run` runs it after the others, with none beside it")


@pytest.fixture(scope="session")
def trust(tmp_path_factory):
    """The bottle's CA, the servers' CA, and a certificate for every server."""
    folder = tmp_path_factory.mktemp("trust")
    world.authority(folder, "bottle")
    servers = world.authority(folder, "servers")
    world.leaf(folder, "leaf", world.HOSTS, servers)
    strangers = world.authority(folder, "strangers")
    world.leaf(folder, "strange", world.HOSTS, strangers)
    world.leaf(folder, "misnamed", ["other.example"], servers)
    return folder


@pytest.fixture
def firewall(trust):
    """A fresh firewall for one test."""
    made = world.Firewall(trust / "leaf.pem")
    yield made
    made.close()


TABLE = cases.document(
    cases.route(
        host="api.example.com",
        methods=["GET", "HEAD", "POST"],
        paths=["/ok/"],
        auth={"header": "Authorization", "scheme": "Bearer", "slot": "BOTTLE_CREDENTIAL_X"},
    ),
    cases.route(host="ws.example", websocket=True),
    cases.route(host="alt.example", port=8443),
    allowlist=["any.example"],
)


@contextlib.contextmanager
def launcher(tmp_path_factory, trust):
    """A function that starts proxies, all stopped at the end; a new one takes over the grant uses of `before`."""
    started = []

    def launch(upstream, document=TABLE, *, suffix="/ok", before=None, **how):
        folder = tmp_path_factory.mktemp("proxy")
        shutil.copy(trust / "bottle.pem", folder / "ca.pem")
        shutil.copy(trust / "bottle-cert.pem", folder / "bottle-cert.pem")
        shutil.copy(trust / "servers-cert.pem", folder / "upstream-roots.pem")
        if document is not None:
            (folder / "routes.yaml").write_text(document if isinstance(document, str) else json.dumps(document))
        if before and (before.folder / "grants.json").exists():
            shutil.copy(before.folder / "grants.json", folder)
        proxy = world.Proxy(folder, upstream, **how)
        started.append(proxy)
        if suffix:
            proxy.wait_for_link(suffix)
        return proxy

    yield launch
    for proxy in started:
        proxy.stop()


@pytest.fixture
def start(tmp_path_factory, trust):
    """Starts proxies with given routes; waits for the link unless told not to."""
    with launcher(tmp_path_factory, trust) as launch:
        yield launch


@pytest.fixture(scope="session")
def _common(tmp_path_factory, trust):
    firewall = world.Firewall(trust / "leaf.pem")
    with launcher(tmp_path_factory, trust) as launch:
        yield launch(firewall.address), firewall
    firewall.close()


@pytest.fixture
def common(_common):
    """One proxy and one firewall, shared by all tests that don't change them."""
    proxy, firewall = _common
    proxy.mark()
    firewall.forget()
    return proxy, firewall


@pytest.fixture
def proxy(start, firewall):
    """A proxy with the usual table behind the firewall."""
    return start(firewall.address)
