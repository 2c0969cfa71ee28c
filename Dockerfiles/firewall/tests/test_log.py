"""What a firewall writes down."""

from __future__ import annotations

import json

KEYS = ["time", "event", "host", "port", "method", "rule", "reason"]


def test_a_refusal_is_one_bounded_line_of_json(firewall):
    before = len(firewall.lines())
    firewall.visit(f"http://{'x' * 300}.test/")
    firewall.visit('http://a"b\\c.test/')
    firewall.converse(b'CONNECT a%0a{"event":"x"}:443 HTTP/1.1\r\n\r\n')
    firewall.converse(b'GET http://other.test/\x01\x7f\xff"\\ HTTP/1.1\r\nHost: other.test\r\n\r\n')
    for place in ("https://other.test/", "http://127.0.0.1/", "https://private.test/", "https://good.test:444/"):
        firewall.visit(place)
    firewall.record()
    lines = firewall.lines()
    assert len(lines) - before >= 8
    for line in lines:
        assert len(line) < 800, line
        record = json.loads(line)
        assert list(record) == KEYS, line
        assert record["event"] == "refused", line
        assert record["rule"] != "-", line
        assert record["reason"] != "-", line


def test_nothing_is_kept_of_what_passes(firewall):
    firewall.assert_serves()
    firewall.assert_reaches("http://good.test/")
    assert firewall.run("bash", "-c", "cd /tmp && find . -type f -size +100k; ls") == "firewall\n"
