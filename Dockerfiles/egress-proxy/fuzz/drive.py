"""Runs the fuzzer: over all targets, over the planted bugs, or again with single inputs.

    drive.py                 all targets; FUZZ_EXECUTIONS and FUZZ_SECONDS limit the run (0: no limit); FUZZ_SEED makes
                             a run repeatable that only FUZZ_EXECUTIONS limits
    drive.py mutants         every planted bug must be found within FUZZ_MUTANT_EXECUTIONS
    drive.py TARGET          runs the input on standard input once, without libFuzzer

A finding stops the run: its input is written to FUZZ_FINDINGS, and the exit status is 1.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutants import MUTANTS

FINDINGS = Path(os.environ.get("FUZZ_FINDINGS", "/findings"))
SHARES = {"request": 0.5, "inside": 0.2, "table": 0.15, "names": 0.1, "refusals": 0.05}
_HANGS = 600
_COLUMNS = ("target", "executions", "seconds", "per second", "edges", "features")


@dataclass(frozen=True)
class Outcome:
    """The result of one target's run."""

    target: str
    executions: int
    seconds: float
    features: int
    edges: int
    finding: Path | None
    words: str


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "") or str(default)
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise SystemExit(f"{variable} must be a number, not {text!r}")
    return int(text)


def _plant_seeds(target: str, folder: Path) -> Path:
    corpus = folder / f"seeds-{target}"
    if not corpus.exists():
        corpus.mkdir()
        for index, seed in enumerate(importlib.import_module(f"targets.{target}").seeds()):
            (corpus / f"{index:05}").write_bytes(seed)
    return corpus


def run(target: str, corpus: Path, *, executions: int, seconds: int, seed: int, core: Path | None = None) -> Outcome:
    """One target under libFuzzer; `core` is a folder with a bottle_egress that replaces the installed one."""
    findings = Path(tempfile.mkdtemp(prefix=f"{target}-", dir=FINDINGS))
    flags = [f"-seed={seed}", f"-runs={executions}", f"-max_total_time={seconds}", f"-artifact_prefix={findings}/"]
    path = os.pathsep.join(map(str, filter(None, (core, Path(__file__).parent, os.environ.get("PYTHONPATH")))))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as grown:  # libFuzzer adds to the first folder; the seeds stay unchanged
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-B", "engine.py", target, *flags, "-print_final_stats=1", "-timeout=20", grown, corpus],
            cwd=Path(__file__).parent,
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            errors="replace",
            timeout=seconds + _HANGS if seconds else None,
        )
    output = done.stdout
    found = sorted(findings.iterdir())
    if not found:
        findings.rmdir()
        if done.returncode:
            raise SystemExit(f"{target} broke with {done.returncode}:\n{output[-4000:]}")
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", output) or [(0, 0)]
    counted = re.findall(r"^#(\d+)\s|number_of_executed_units: (\d+)", output, re.MULTILINE)
    words = re.search(r"=== Uncaught Python exception: ===\n(.*)", output)
    return Outcome(
        target, max((int(one or two) for one, two in counted), default=0), time.monotonic() - begun,
        int(coverage[-1][1]), int(coverage[-1][0]), found[0] if found else None,
        words[1][:600] if words else output[-600:],
    )  # fmt: skip


def _fuzz() -> int:
    executions, seconds = _number("FUZZ_EXECUTIONS", 1_000_000), _number("FUZZ_SECONDS", 0)
    # Without a limit on executions, only time ends a run.
    if seconds and not os.environ.get("FUZZ_EXECUTIONS"):
        executions = 0
    if not executions and not seconds:
        raise SystemExit("FUZZ_EXECUTIONS or FUZZ_SECONDS must bound the run")
    seed = _number("FUZZ_SEED", secrets.randbelow(2**31 - 1) + 1)
    print(f"seed {seed}", flush=True)
    columns = "{:<10} {:>11} {:>8.1f} {:>11.0f} {:>6} {:>9}"
    print(re.sub(r"\.[01]f", "", columns).format(*_COLUMNS), flush=True)
    total = elapsed = 0
    with tempfile.TemporaryDirectory() as folder:
        for target, share in SHARES.items():
            corpus = _plant_seeds(target, Path(folder))
            outcome = run(
                target, corpus, seed=seed, executions=round(executions * share) if executions else -1,
                seconds=max(1, round(seconds * share)) if seconds else 0,
            )  # fmt: skip
            total, elapsed = total + outcome.executions, elapsed + outcome.seconds
            rate = outcome.executions / outcome.seconds
            row = (target, outcome.executions, outcome.seconds, rate, outcome.edges, outcome.features)
            print(columns.format(*row), flush=True)
            if outcome.finding:
                print(f"FINDING in {target}: {outcome.words}\ninput {outcome.finding}:", flush=True)
                print(outcome.finding.read_bytes(), flush=True)
                return 1
    print(columns.format("all", total, elapsed, total / elapsed, "", ""), flush=True)
    return 0


def _mutated(folder: Path, number: int) -> Path:
    """A copy of the installed policy with one bug in it."""
    name, _, file, text, bug = MUTANTS[number]
    package = Path(importlib.util.find_spec("bottle_egress").origin).parent
    core = folder / f"mutant-{number}"
    shutil.copytree(package, core / "bottle_egress", ignore=shutil.ignore_patterns("__pycache__"))
    path = core / "bottle_egress" / file
    source = path.read_text(encoding="utf-8")
    if source.count(text) != 1:
        raise SystemExit(f"the planted bug {name!r} fits {source.count(text)} times into {file}: correct mutants.py")
    path.write_text(source.replace(text, bug), encoding="utf-8")
    return core


def _mutants() -> int:
    limit, seed = _number("FUZZ_MUTANT_EXECUTIONS", 100_000), _number("FUZZ_SEED", 1)
    missed = 0
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(_number("FUZZ_JOBS", 2)) as pool:
        folder = Path(name)
        cores = [_mutated(folder, number) for number in range(len(MUTANTS))]
        for target in SHARES:
            _plant_seeds(target, folder)

        def hunt(number: int) -> Outcome:
            target = MUTANTS[number][1]
            return run(
                target, folder / f"seeds-{target}", executions=limit, seconds=120, seed=seed,
                core=cores[number],
            )  # fmt: skip

        for mutant, outcome in zip(MUTANTS, pool.map(hunt, range(len(MUTANTS))), strict=True):
            if outcome.finding:
                shutil.rmtree(outcome.finding.parent)
                print(f"found after {outcome.executions:>7}: {mutant[0]}  <- {outcome.words[:110]}", flush=True)
            else:
                missed += 1
                print(f"MISSED after {outcome.executions}: {mutant[0]}", flush=True)
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} planted bugs found", flush=True)
    return 1 if missed else 0


def _again(target: str) -> int:
    importlib.import_module(f"targets.{target}").check(sys.stdin.buffer.read())
    print("nothing wrong")
    return 0


def main(arguments: list[str]) -> int:
    """The exit status."""
    if not arguments:
        return _fuzz()
    if arguments == ["mutants"]:
        return _mutants()
    if len(arguments) == 1 and arguments[0] in SHARES:
        return _again(arguments[0])
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
