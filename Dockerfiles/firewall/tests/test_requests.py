"""Requests in every form, and what of them gets to a server."""

from __future__ import annotations

import pytest
from engine import until


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT u@good.test:443",
        "CONNECT good.test%00.other.test:443",
        "CONNECT good.test#other.test:443",
        "CONNECT *.wild.test:443",
        "CONNECT localhost:443",
        "CONNECT @:443",
        "GET http://good.test@other.test/",
        "GET /",
        "GET https://good.test/",
        "GET cache_object://good.test/info",
        "GET /squid-internal-static/icons/SN.png",
        "TRACE http://good.test/",
        "PURGE http://good.test/",
        "PRI *",
    ],
)
def test_a_hostile_request_line_is_refused(firewall, line):
    answer = firewall.converse(f"{line} HTTP/1.1\r\nHost: good.test\r\n\r\n".encode())
    assert "HTTP/1.1 4" in answer
    assert " 200 " not in answer
    assert "reached" not in answer


def test_a_smuggled_request_is_never_sent_on(firewall):
    """One request by its chunks, two by its length."""
    head = b"POST http://good.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 90\r\n\r\n"
    answer = firewall.converse(head, 0.1, b"0\r\n\r\nGET http://other.test/ HTTP/1.1\r\n\r\n")
    assert answer.startswith("HTTP/1.1 ")
    assert "host=other.test" not in answer


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([], id="when there is none"),
        pytest.param(
            ["Via: 1.1 a", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Cache-Control: no-store"],
            id="when the client sends them",
        ),
    ],
)
def test_no_header_tells_of_a_proxy(firewall, fields):
    answer = firewall.visit("http://good.test/", *(word for field in fields for word in ("-H", field)))
    assert "via= xff= forwarded= cache=" in answer.text
    answer = firewall.visit("http://good.test/", "-i")
    assert "reached" in answer.text
    assert "Via:" not in answer.text


def test_each_odd_form_of_a_request_is_refused_and_on_record_once(firewall, world):
    before = len(firewall.record())
    count = int(world.attack("forms", "refused"))
    assert count > 100
    until(lambda: len(firewall.record()) - before >= count, 5)
    assert len(firewall.record()) - before == count
    assert firewall.is_running


def test_what_is_mended_goes_to_the_host_that_was_judged(firewall, world):
    world.attack("forms", "served")
    firewall.assert_serves()
