"""Entry point: `python -I -m bottle_egress`. Signals first, then everything that takes time to import."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import resource
import signal
import sys
import types


class _OneLine(logging.Formatter):
    """One bounded JSON line: where and what kind, never a message that could quote a request or a credential."""

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


def main(**paths: os.PathLike[str]) -> int:
    """Run until SIGTERM; `paths` replaces the default places of files."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as PID 1 it inherits orphans: the kernel reaps them
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.ERROR, handlers=[handler])
    _skip_unused_addons()

    import asyncio

    from bottle_egress.authority import BadTrust
    from bottle_egress.patches import UnknownMitmproxy
    from bottle_egress.proxy import NotListening, serve
    from bottle_egress.settings import BadSettings, Settings

    try:
        asyncio.run(serve(Settings.from_environment(os.environ, **paths)))
    except (BadSettings, BadTrust, UnknownMitmproxy) as error:
        print(json.dumps({"event": "fatal", "message": str(error)}), file=sys.stderr)
        return 1
    except NotListening:
        print(json.dumps({"event": "fatal", "message": "the port could not be opened"}), file=sys.stderr)
        return 1
    except OSError as error:
        print(json.dumps({"event": "fatal", "message": f"{error.filename}: {error.strerror}"}), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
