"""Which hosts and ports are let through, and by which rule the others are refused."""

from __future__ import annotations

import pytest
from world import WORLD


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://good.test/", id="as it is listed"),
        pytest.param("https://GOOD.test/", id="in another case"),
        pytest.param("https://a.wild.test/", id="by a wildcard, one level"),
        pytest.param("https://a.b.wild.test/", id="by a wildcard, any depth"),
        pytest.param("https://pinned.test/", id="an extra host at its private address"),
        pytest.param("http://good.test/", id="by plain HTTP on port 80"),
    ],
)
def test_a_listed_host_is_reached(firewall, url):
    firewall.assert_reaches(url)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        pytest.param("https://wild.test/", "unlisted-host", id="the apex of a wildcard"),
        pytest.param("https://xwild.test/", "unlisted-host", id="a name that ends like a wildcard"),
        pytest.param("https://other.test/", "unlisted-host", id="a host that is not listed"),
        pytest.param("https://good.test:8443/", "unlisted-port", id="another port of a listed host"),
        pytest.param("http://other.test/", "unlisted-host", id="plain HTTP to a host that is not listed"),
        pytest.param("http://good.test:8080/", "form", id="plain HTTP on another port"),
        pytest.param("http://private.test/", "private-address", id="plain HTTP to a private answer"),
        pytest.param("ftp://good.test/", "form", id="FTP"),
        pytest.param("http://good.test/squid-internal-mgr/info", "form", id="squid's own pages"),
    ],
)
def test_anything_else_is_refused_at_once_by_its_rule(firewall, url, rule):
    firewall.assert_refuses(url, rule)


def test_the_address_of_a_name_that_is_not_listed_is_never_asked_for(firewall, world):
    firewall.assert_serves()
    firewall.assert_refuses("https://localhost:8889/", "private-address")
    for place in ("wild.test", "xwild.test", "other.test", "good.test.other.test", world.at(WORLD), "[::1]"):
        assert firewall.visit(f"https://{place}/").connect == 403
        assert firewall.visit(f"http://{place}/").status == 403
    asked = world.world.shell(r'grep -o "query\[[A-Z0-9]*\] [^ ]*" /tmp/queries')
    assert " good.test" in asked
    for never in ("other.test", " wild.test", "xwild.test", "[PTR]", "localhost"):
        assert never not in asked


def test_a_host_that_is_let_through_leaves_no_line(firewall):
    before = firewall.record()
    firewall.assert_reaches("https://good.test/")
    firewall.assert_reaches("http://good.test/")
    assert firewall.record() == before
