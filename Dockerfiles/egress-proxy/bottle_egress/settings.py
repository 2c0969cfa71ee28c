"""The settings of the container: addresses, folders, credentials."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ADDRESS = re.compile(r"([0-9.]+):([0-9]{1,5})")


class BadSettings(Exception):
    """The environment can't be used. The message never holds a credential."""


@dataclass(frozen=True)
class Settings:
    """Where to listen, what is upstream, where the files are. The text form never shows a credential."""

    listen: tuple[str, int]
    firewall: tuple[str, int] | None
    secrets: Mapping[str, str] = field(repr=False)
    config: Path = Path("/etc/egress-proxy")
    link: Path = Path("/run/bottle/loaded")
    grants: Path = Path("/run/bottle/grants.json")
    system_roots: Path = Path("/etc/ssl/certs/ca-certificates.crt")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **paths: Path) -> Settings:
        """Raises BadSettings."""
        upstream = environment.get("BOTTLE_UPSTREAM", "")
        if upstream and not upstream.startswith("http://"):
            raise BadSettings("BOTTLE_UPSTREAM must be http://<ip>:<port>")
        return cls(
            listen=_address(environment.get("BOTTLE_LISTEN", ""), "BOTTLE_LISTEN"),
            firewall=_address(upstream.removeprefix("http://"), "BOTTLE_UPSTREAM") if upstream else None,
            secrets={key: value for key, value in environment.items() if key.startswith("BOTTLE_CREDENTIAL_")},
            **paths,
        )


def _address(text: str, variable: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(text)
    try:
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError
        return str(ipaddress.IPv4Address(match[1])), int(match[2])
    except ValueError as error:
        raise BadSettings(f"{variable} must name an IPv4 address and a port") from error
