"""Why an admitted request got no answer from its server, in words that name nothing internal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Obstacle:
    """Why there is no answer: the status for the client, the rule for the log, the reason for people."""

    status: int
    rule: str
    reason: str


UNREACHABLE = Obstacle(502, "upstream", "no connection to the server could be made")
SLOW = Obstacle(504, "upstream", "the server could not be reached in time")
UNTRUSTED = Obstacle(
    502, "upstream", "no TLS connection with a certificate that is trusted for this host could be made"
)
UNANSWERED = Obstacle(502, "upstream", "the server closed the connection without a whole answer, or it is not HTTP")
SWITCHED = Obstacle(502, "upstream", "the server switched to a protocol that was not asked for")

_FIREWALL = {
    403: "the firewall does not let this host through: it is not on its list, or its address is not a public one",
    502: "the firewall found no address for this host, or no connection to it",
    503: "the firewall is busy or could not reach this host",
    504: "the firewall could not reach this host in time",
}


def refused_by_firewall(status: int) -> Obstacle:
    """The obstacle for what the firewall answered instead of opening a tunnel."""
    reason = _FIREWALL.get(status, "the firewall did not open a tunnel")
    return Obstacle(status if status in _FIREWALL else 502, "firewall", f"{reason} (status {status})")
