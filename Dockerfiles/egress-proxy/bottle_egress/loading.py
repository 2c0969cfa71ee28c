"""Which table is in force, and the link that confirms it to the reconciler."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottle_egress import table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Generation:
    """The outcome of the last load: the hash in force (None when there is none), and what was refused, if anything."""

    in_force: str | None
    refused: str | None = None
    code: str | None = None

    @property
    def link_target(self) -> str:
        if self.code is None:
            return f"/{self.in_force}/ok"
        return f"/{self.in_force or 'none'}/{self.code}/{self.refused}"


def generation_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over one line per file, `<sha256 of the content>  <absolute path>`, sorted by path."""
    lines = (f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Policy:
    """The table in force. A load replaces it completely or leaves it unchanged."""

    def __init__(self, path: Path, secrets: Mapping[str, str]) -> None:
        self.path = path
        self.secrets = secrets
        self.table: table.Table | None = None
        self.generation: Generation | None = None

    def load(self) -> Generation:
        """Read the file. Afterwards it is in force, or the previous table still is."""
        content = b""
        try:
            content = self.path.read_bytes()
            new = table.parse(content, self.secrets)
        except OSError as error:
            code = "unreadable"
            logger.error("routes refused: unreadable: %s", error.strerror)
        except table.TableRefused as refusal:
            code = refusal.code
            logger.error("routes refused: %s", refusal)
        else:
            self.table = new
            self.generation = Generation(generation_hash({str(self.path): content}))
            return self.generation
        in_force = self.generation.in_force if self.generation else None
        self.generation = Generation(in_force, generation_hash({str(self.path): content}), code)
        return self.generation


def confirm(link: Path, generation: Generation) -> None:
    """Atomically replace the link by one to this generation."""
    temporary = link.with_name(link.name + ".new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(generation.link_target)
    temporary.replace(link)
