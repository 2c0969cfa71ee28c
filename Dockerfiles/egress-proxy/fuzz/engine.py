"""Runs one target under libFuzzer: `engine.py TARGET [FLAG…]`; the flags are libFuzzer's.

The policy is imported under instrumentation; the oracle is not, so that only the policy's branches count as coverage.
"""

from __future__ import annotations

import importlib
import sys

import atheris

name, *flags = sys.argv[1:]
with atheris.instrument_imports(include=["bottle_egress"]):
    import bottle_egress.judge
    import bottle_egress.refusal
    import bottle_egress.table  # noqa: F401
target = importlib.import_module(f"targets.{name}")
atheris.Setup([sys.argv[0], *flags, f"-max_len={target.MAX_LENGTH}"], target.check, custom_mutator=target.MUTATE)
atheris.Fuzz()
