"""How a refusal looks to the agent and in the log. Text that the agent sent is bounded and escaped."""

from __future__ import annotations

import json
from datetime import datetime

from bottle_egress.judge import Refused
from bottle_egress.record import timestamp

_LIMITS = {"host": 260, "method": 32, "path": 512}
_HINTS = {
    "git-push": "Push to the git gate instead: its remotes are in your git configuration.",
    "no-table": "An operator has to mend the routes of this bottle.",
    "grant-uncounted": "An operator has to look at the log of this proxy.",
    "internal": "An operator has to look at the log of this proxy.",
    "firewall": "An operator has to look at the firewall's list and at the addresses of this name.",
}
_ERRORS = {
    "firewall": "refused by the firewall of this bottle",
    "upstream": "allowed by the egress-proxy of this bottle, but not answered by the server",
}
_TOOL_HINT = "If the task needs it, call the supervise tool {tool} with the routes you propose and the reason."


def bounded(text: str, limit: int) -> str:
    """The text cut to the limit, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def _shown(refused: Refused) -> dict[str, str]:
    return {key: bounded(getattr(refused, key), limit) for key, limit in _LIMITS.items()}


def _escaped(document: dict[str, object]) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def body(refused: Refused) -> bytes:
    """The answer to the client: JSON that says the rule, the reason and what to do next."""
    hint = _TOOL_HINT.format(tool=refused.tool) if refused.tool else _HINTS.get(refused.rule)
    return (
        _escaped(
            {
                "error": _ERRORS.get(refused.rule, "refused by the egress-proxy of this bottle"),
                "rule": refused.rule,
                "reason": refused.reason,
                **_shown(refused),
                "tool": refused.tool,
                "hint": hint,
            }
        ).encode("ascii")
        + b"\n"
    )


def log_line(refused: Refused, now: datetime) -> str:
    """One JSON line for the log: never a query, a header or a credential."""
    return _escaped(
        {
            "time": timestamp(now),
            "event": "refused",
            **_shown(refused),
            **({} if refused.port is None else {"port": refused.port}),
            "rule": refused.rule,
            "reason": refused.reason,
        }
    )
