"""Entry point: `python -I -m bottle_egress`. Signals are set first, then the slow imports follow."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import resource
import signal
import sys
import types

from bottle_egress.record import Record


class _OneLine(logging.Formatter):
    """One bounded JSON line: the kind of error and its place, no message that could quote a request or a secret."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": "error", "logger": record.name}
        if record.name.startswith("bottle_egress"):
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[0]:
            trace = record.exc_info[2]
            while trace and trace.tb_next:
                trace = trace.tb_next
            line["kind"] = record.exc_info[0].__name__
            line["at"] = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""
        return json.dumps(line)


def _skip_unused_addons() -> None:
    """Keep mitmproxy.addons from importing all of its thirty addons (half of the start-up time)."""
    origin = importlib.util.find_spec("mitmproxy").origin
    package = types.ModuleType("mitmproxy.addons")
    package.__path__ = [os.path.join(os.path.dirname(origin), "addons")]
    sys.modules["mitmproxy.addons"] = package


class _Recorded(logging.Handler):
    """Writes log lines to a `Record`, which never blocks."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record
        self.setFormatter(_OneLine())

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            self._record.write(self.format(record))


def main(**paths: os.PathLike[str]) -> int:
    """Run until SIGTERM; `paths` replaces default paths of files."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as PID 1 it inherits orphans: the kernel reaps them
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384 if most == resource.RLIM_INFINITY else min(most, 16384), most))
    refusals, errors = Record(sys.stdout.fileno()), Record(sys.stderr.fileno())
    logging.basicConfig(level=logging.ERROR, handlers=[_Recorded(errors)])
    try:
        return _serve(refusals, errors, paths)
    finally:
        refusals.close()
        errors.close()


def _serve(refusals: Record, errors: Record, paths: dict[str, os.PathLike[str]]) -> int:
    _skip_unused_addons()

    import asyncio

    from bottle_egress.authority import BadTrust
    from bottle_egress.listening import NotListening
    from bottle_egress.pinned import UnknownSource
    from bottle_egress.proxy import serve
    from bottle_egress.settings import BadSettings, Settings

    try:
        asyncio.run(serve(Settings.from_environment(os.environ, **paths), refusals, errors))
    except (BadSettings, BadTrust, UnknownSource, NotListening) as error:
        errors.write(json.dumps({"event": "fatal", "message": str(error)}))
        return 1
    except OSError as error:
        errors.write(json.dumps({"event": "fatal", "message": f"{error.filename}: {error.strerror}"}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
