"""Admission of requests: every request passes `admit`, every socket to a server passes `may_connect`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bottle_egress import refusal
from bottle_egress.grant_uses import EXPIRED, GrantUses
from bottle_egress.judge import (
    Allowed,
    Facts,
    Identity,
    Refused,
    judge,
    judge_connect,
    names_identity,
    not_granted,
    refused,
)
from bottle_egress.loading import Policy
from bottle_egress.table import Grant

logger = logging.getLogger(__name__)

MAX_IDENTITIES = 16
"""More than the servers that one client connection can have; a wildcard stands for any number of names."""


@dataclass(frozen=True)
class _Live:
    """A request under way, and the grant that it used."""

    facts: Facts
    grant: Grant | None


@dataclass
class _Connection:
    """What one client connection has been allowed: its latest servers, and the requests still under way."""

    identities: dict[Identity, None] = field(default_factory=dict)
    live: dict[Hashable, _Live] = field(default_factory=dict)

    def remember(self, identity: Identity) -> None:
        """Make this server the latest one."""
        self.identities.pop(identity, None)
        self.identities[identity] = None
        if len(self.identities) > MAX_IDENTITIES:
            del self.identities[next(iter(self.identities))]


class Admission:
    """Holds the policy and what it admitted. Any error inside becomes a refusal."""

    def __init__(
        self, policy: Policy, grant_uses: GrantUses, firewall: tuple[str, int] | None, report: Callable[[str], None]
    ) -> None:
        self.policy = policy
        self.grant_uses = grant_uses
        self.firewall = firewall
        self._report = report
        self._connections: dict[str, _Connection] = {}

    def admit(self, client: str, stream: Hashable, facts: Facts) -> Allowed | Refused:
        """Decide a request of a client connection; an allowed one is remembered until `finished`.

        A use of a grant is counted before this returns. It stays counted, also when the request fails later.
        """
        try:
            verdict = judge(self.policy.table, facts, self.policy.secrets, self.grant_uses.obstacle)
            if isinstance(verdict, Allowed):
                rule = self.grant_uses.use(verdict.grant) if verdict.grant else None
                if rule is None:
                    connection = self._connections.setdefault(client, _Connection())
                    connection.remember(verdict.identity)
                    connection.live[stream] = _Live(facts, verdict.grant)
                    return verdict
                verdict = not_granted(facts, rule)
        except Exception as error:
            verdict = self._broken(facts, error)
        self.note(verdict)
        return verdict

    def admit_tunnel(self, facts: Facts) -> Identity | Refused:
        """Decide a CONNECT. It lets no byte upstream: each request inside the tunnel is decided on its own."""
        try:
            verdict = judge_connect(self.policy.table, facts)
        except Exception as error:
            verdict = self._broken(facts, error)
        if isinstance(verdict, Refused):
            self.note(verdict)
        return verdict

    def may_connect(self, client: str, address: tuple[str, int]) -> bool:
        """Whether a request that was admitted on this connection needs a socket to this address."""
        connection = self._connections.get(client)
        if connection is None or not connection.identities:
            return False
        if self.firewall is not None:
            return address == self.firewall
        return address in {(identity.host, identity.port) for identity in connection.identities}

    def finished(self, client: str, stream: Hashable) -> None:
        """The request is over in both directions."""
        if connection := self._connections.get(client):
            connection.live.pop(stream, None)

    def disconnected(self, client: str) -> None:
        """The client connection is gone."""
        self._connections.pop(client, None)

    def no_longer_allowed(self) -> list[str]:
        """The client connections that used, or are using, something that the table in force no longer allows."""
        return [client for client, connection in self._connections.items() if self._outlived(connection)]

    def note(self, verdict: Refused) -> None:
        """Write the log line of a refusal."""
        self._report(refusal.log_line(verdict, datetime.now(UTC)))

    def note_bytes(self, reason: str) -> None:
        """Write the log line for bytes that were not a request."""
        self.note(Refused(400, "malformed", reason, "", "", ""))

    def _outlived(self, connection: _Connection) -> bool:
        try:
            table = self.policy.table
            return not all(names_identity(table, identity) for identity in connection.identities) or not all(
                self._may_go_on(live) for live in connection.live.values()
            )
        except Exception:
            logger.exception("re-judging failed")
            return True

    def _may_go_on(self, live: _Live) -> bool:
        """Whether a request under way passes without limits, or by the grant that it used, if that has not expired."""

        def obstacle(grant: Grant) -> str | None:
            return None if grant == live.grant and not self.grant_uses.has_ended(grant) else EXPIRED

        return isinstance(judge(self.policy.table, live.facts, self.policy.secrets, obstacle), Allowed)

    @staticmethod
    def _broken(facts: Facts, error: Exception) -> Refused:
        logger.error("judging failed", exc_info=error)
        return refused(facts, "internal", "the proxy could not decide this request")
