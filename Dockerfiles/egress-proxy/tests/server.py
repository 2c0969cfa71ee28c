"""A TLS server on 443 and a plain one on 80 that answer with what they saw; for integration.sh."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import world

threading.Thread(target=lambda: world.Firewall(Path(sys.argv[1]), listen=("0.0.0.0", 80)), daemon=True).start()
world.Firewall(Path(sys.argv[1]), direct=True, listen=("0.0.0.0", 443))
threading.Event().wait()
