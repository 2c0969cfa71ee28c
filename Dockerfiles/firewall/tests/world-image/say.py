"""Sends what it is told to a firewall and prints what comes back: `say.py ADDRESS`.

Standard input is a list in JSON, of texts (a character each byte) and of pauses in seconds.
"""

import asyncio
import json
import os
import sys

from proxied import converse

LIMIT = 6

os.environ["FIREWALL"] = sys.argv[1]
steps = [step.encode("latin-1") if isinstance(step, str) else step for step in json.load(sys.stdin)]
answer, _ = asyncio.run(converse(steps, LIMIT, 1))
sys.stdout.buffer.write(answer.decode("latin-1").encode())
