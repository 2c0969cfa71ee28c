"""Random allowlists, and an independent reading of their grammar."""

from __future__ import annotations

import random
import re

LABELS = ["a", "b", "api", "xn--a-b", "a_b", "1", "0x1f", "123", "z" * 63, "example", "test", "org"]
BAD_LABELS = [
    "",
    "-a",
    "a-",
    "A",
    "*",
    "z" * 64,
    "a b",
    "ü",
    "a:b",
    "a/b",
    "[",
    "%61",
    "a\\b",
    "0X1",
    '"',
    "'",
    "$(id)",
    "`id`",
]
PORTS = ["443", "80", "1", "65535", "8443"]
BAD_PORTS = [
    "0",
    "65536",
    "0443",
    "",
    "+443",
    "-1",
    "443x",
    "https",
    "99999999999999999999",
    "4 43",
    "٤٤٣",
    "0x1bb",
    "1e3",
]
COMMENTS = ["", "# a comment", "   # another", "#", "  ", "# good.test 443", "#*"]
HOSTILE = [
    "a.test 443 ",
    " a.test 443",
    "a.test  443",
    "a.test",
    "443 a.test",
    "*.*.a.test 443",
    "*a.b.test 443",
    "a.test:443 443",
]


def is_name(text: str) -> bool:
    labels = text.split(".")
    if not text or len(text.encode()) > 253 or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return False
    return all(re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", label) for label in labels)


def entries(text: str) -> set[tuple[str, int]] | None:
    """The entries of a list as the contract in README reads it, or None where it is to be refused."""
    found = set()
    for line in text.split("\n")[:-1]:
        if re.fullmatch(r" *(#.*)?", line):
            continue
        words = line.split(" ")
        if len(words) != 2:
            return None
        pattern, port = words
        name = pattern.removeprefix("*.")
        if not is_name(name) or (name != pattern and name.count(".") < 1):
            return None
        if not re.fullmatch(r"[1-9][0-9]{0,4}", port, re.ASCII) or int(port) > 65535:
            return None
        found.add((pattern, int(port)))
    return found


def verdict(known: set[tuple[str, int]], method: str, scheme: str, host: str, port: int) -> str:
    host = host.lower()
    if method != "CONNECT" and (scheme, port) != ("http", 80):
        return "form"
    last = host.rpartition(".")[2]
    if not re.fullmatch(r"(?![.-])[a-z0-9_.-]+(?<![.-])", host) or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        return "not-a-name"
    matched = {
        entry_port
        for pattern, entry_port in known
        if (host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern)
    }
    if not matched:
        return "unlisted-host"
    return "OK" if method != "CONNECT" or port in matched else "unlisted-port"


def random_name(source: random.Random, bad: bool = False) -> str:
    labels = [source.choice(LABELS) for _ in range(source.choice([1, 2, 2, 3, 3, 4, 8]))]
    if bad:
        labels[source.randrange(len(labels))] = source.choice(BAD_LABELS)
    return ("*." if source.random() < 0.4 else "") + ".".join(labels)


def random_list(source: random.Random) -> str:
    lines = []
    for _ in range(source.choice([0, 1, 5, 20])):
        lines.append(
            source.choice(COMMENTS) if source.random() < 0.2 else f"{random_name(source)} {source.choice(PORTS)}"
        )
    good = [line for line in lines if entries(line + "\n") is not None]
    if source.random() < 0.5:
        lines = good
        bad = [
            f"{random_name(source, True)} 443",
            f"{random_name(source)} {source.choice(BAD_PORTS)}",
            source.choice(HOSTILE),
        ]
        if source.random() < 0.6:
            lines.insert(source.randint(0, len(lines)), source.choice(bad))
    else:
        lines = good
    return "".join(line + "\n" for line in lines)


def questions(source: random.Random, known: set[tuple[str, int]]) -> list[tuple[str, str, str, int]]:
    found = []
    for pattern, port in sorted(known):
        name = pattern.removeprefix("*.")
        hosts = [
            name,
            "a." + name,
            "a.b." + name,
            "x" + name,
            name + ".a",
            name.upper(),
            "." + name,
            name + "x",
            "*." + name,
        ]
        hosts += [name.partition(".")[2] or "a", "1." + name, "-." + name, name + ".1"]
        for host in hosts:
            found.append(("CONNECT", "-", host, source.choice([port, port, 443, 80])))
            found.append(
                source.choice([("GET", "http", host, 80), ("POST", "http", host, port), ("GET", "ftp", host, 80)])
            )
    return source.sample(found, min(len(found), 120))


def make(seed: int, count: int) -> dict[str, str]:
    """The text of each file: lists, and beside each the questions for the judge."""
    source = random.Random(seed)
    files = {}
    for number in range(count):
        text = random_list(source)
        files[f"{number}.list"] = text
        lines = [
            " ".join(map(str, (channel, *asked, "192.0.2.1")))
            for channel, asked in enumerate(questions(source, entries(text) or set()))
        ]
        files[f"{number}.asked"] = "".join(line + "\n" for line in lines)
    return files


def compare(files: dict[str, str], count: int) -> str:
    """Holds what the image said of each list (`.status`, `.entries`) and question (`.answers`) against this program."""
    accepted = refused = judged = 0
    for number in range(count):
        text, said = files[f"{number}.list"], files[f"{number}.entries"]
        known = entries(text)
        assert (files[f"{number}.status"].strip() == "0") == (known is not None), f"{text!r}: {said!r}"
        if known is None:
            refused += 1
            assert said.split("\n")[-2] in {"bad-line", "bad-host", "bad-port"}, f"{text!r}: {said!r}"
            continue
        accepted += 1
        assert {(line.split()[0], int(line.split()[1])) for line in said.splitlines()} == known, text
        asked, answers = files[f"{number}.asked"].splitlines(), files[f"{number}.answers"].splitlines()
        assert len(answers) == len(asked), text
        for line, answer in zip(asked, answers, strict=True):
            channel, method, scheme, host, port, _ = line.split(" ")
            wanted = verdict(known, method, scheme, host, int(port))
            observed = re.fullmatch(rf"{channel} (?:(OK)|ERR rule_=(\S+) .*)", answer)
            assert observed and (observed[1] or observed[2]) == wanted, f"{text!r}: {line}: {answer}, not {wanted}"
            judged += 1
    assert min(accepted, refused) > 50 and judged > 2000
    return f"{accepted} lists accepted, {refused} refused, {judged} requests judged"
