"""Every foreign private name that our code uses belongs to a pinned module.

The test reads the source of `bottle_egress`. An attribute of `self` is looked up in the base classes that are not ours.
For any other object the syntax doesn't tell the class, so OWNERS and OURS state it: a use that is in neither fails, and
so does an entry that nothing uses. Two things are not found: internals without an underscore (`transport.max_size`),
and names that are composed at run time.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import operator
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import bottle_egress
from bottle_egress import __main__ as entry
from bottle_egress import pinned

PACKAGE = bottle_egress.__name__
FILES = sorted(Path(bottle_egress.__file__).parent.glob("*.py"))
_PRIVATE = re.compile(r"_(?!_)\w*|__\w*(?<!__)")

OWNERS = {
    ("bounded_http1", "read._bytes_in_chunk"): "h11._readers",
    ("bounded_http1", "read._bytes_to_discard"): "h11._readers",
    ("bounded_http1", "read._reading_trailer"): "h11._readers",
    ("reading", "self._reader._buffer"): "asyncio.streams",
    ("reading", "self._reader._wakeup_waiter"): "asyncio.streams",
    ("tls_layers", "SSL._ffi"): "OpenSSL.SSL",
    ("tls_layers", "SSL._lib"): "OpenSSL.SSL",
    ("tls_layers", "self.tls._ssl"): "OpenSSL.SSL",
}
"""The module that defines a private attribute, by our module and the expression."""
OURS = {
    ("connections", "handler._give_up"),
    ("connections", "handler._is_deserted"),
}
"""Private attributes of our own classes on an object other than `self`."""
DOCUMENTED = {("__main__", "os._exit")}
"""Public according to its documentation, despite the underscore."""


@dataclass(frozen=True)
class Use:
    """One use of a private name: where, what, and the modules that it belongs to; none when that isn't known."""

    where: str
    what: str
    modules: tuple[str, ...]


def is_private(name: str) -> bool:
    """Whether a name has one underscore in front, or two that don't also end it."""
    return _PRIVATE.fullmatch(name) is not None


def private_modules(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The private modules and names of an import, each with the module to pin."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if any(map(is_private, alias.name.split("."))):
                yield alias.name, alias.name
        return
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        if any(map(is_private, full.split("."))):
            yield full, full if is_module(full) else node.module


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the part before the last dot is not a package
        return False


@functools.cache
def names_within(kind: type) -> frozenset[str]:
    """The private names in the source of a class."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):  # written in C
        return frozenset()
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(filter(is_private, found))


def is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == PACKAGE


def stored_in(kind: type) -> set[str]:
    """The private names that a class of ours, or a base that is ours, defines."""
    defined = set()
    for each in filter(is_ours, kind.__mro__):
        tree = ast.parse(textwrap.dedent(inspect.getsource(each)))
        defined |= {name for name in vars(each) if is_private(name)}
        defined |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value)
        }
    return defined


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def owners_among_bases(kind: type, name: str) -> tuple[str, ...]:
    """The modules of the foreign base classes whose source has this name."""
    return tuple(base.__module__ for base in kind.__mro__ if not is_ours(base) and name in names_within(base))


class Finder(ast.NodeVisitor):
    """Collects the uses of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = importlib.import_module(f"{PACKAGE}.{name}")
        self.kind: type | None = None
        self.uses: list[Use] = []
        self.told: set[tuple[str, str]] = set()

    def add(self, node: ast.AST, what: str, *modules: str) -> None:
        self.uses.append(Use(f"{self.name}.py:{node.lineno}", what, modules))

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in (PACKAGE, "__future__"):
            return
        for what, module in private_modules(node):
            self.add(node, what, module)

    visit_ImportFrom = visit_Import

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outer, self.kind = self.kind, getattr(self.module, node.name)
        self.generic_visit(node)
        self.kind = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if self.kind and is_private(node.name) and (modules := owners_among_bases(self.kind, node.name)):
            self.add(node, f"{self.kind.__name__}.{node.name}", *modules)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(name.value):
                self.attribute(node, node.args[0], name.value)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if is_private(node.attr):
            self.attribute(node, node.value, node.attr)
        self.generic_visit(node)

    def attribute(self, node: ast.AST, value: ast.expr, name: str) -> None:
        is_super = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"
        if self.kind and (is_self(value) or is_super):
            modules = owners_among_bases(self.kind, name)
            if modules or name not in stored_in(self.kind):
                self.add(node, f"{self.kind.__name__}.{name}", *modules)
            return
        key = self.name, f"{ast.unparse(value)}.{name}"
        self.told.add(key)
        if key in OWNERS:
            self.add(node, key[1], OWNERS[key])
        elif key not in OURS | DOCUMENTED:
            self.add(node, key[1])


@functools.cache
def found() -> tuple[tuple[Use, ...], frozenset[tuple[str, str]]]:
    """All uses, and the expressions that were looked up."""
    if "mitmproxy.addons" not in sys.modules:
        entry._skip_unused_addons()
    finders = []
    for file in FILES:
        finder = Finder(file.stem)
        finder.visit(ast.parse(file.read_text(encoding="utf-8")))
        finders.append(finder)
    uses = tuple(use for finder in finders for use in finder.uses)
    return uses, frozenset().union(*(finder.told for finder in finders))


def test_every_private_name_belongs_to_a_pinned_module():
    uses, _ = found()
    claimed = pinned.SOURCES.keys() | pinned.FUNCTIONS.keys()
    unpinned = [use for use in uses if not use.modules or not claimed.issuperset(use.modules)]
    assert unpinned == []


def test_the_finder_sees_each_kind_of_use():
    uses, _ = found()
    assert {
        "h11._receivebuffer.ReceiveBuffer",  # an import from a private module
        "mitmproxy.proxy.layers.http._http1",  # an import of a private module
        "Inbox._data",  # an attribute that a base class made
        "Closed._handle_event",  # a method that overrides a private one
        "read._bytes_in_chunk",  # an attribute of any other object
    } <= {use.what for use in uses}


def test_what_is_said_of_owners_is_used():
    _, told = found()
    assert OWNERS.keys() | OURS | DOCUMENTED <= told


@pytest.mark.parametrize(("key", "module"), OWNERS.items(), ids=lambda value: str(value))
def test_an_owner_has_the_name(key, module):
    """The pinned source has the name: the whole module, or the pinned functions of it."""
    if module in pinned.FUNCTIONS:
        place = importlib.import_module(module)
        text = "".join(inspect.getsource(operator.attrgetter(name)(place)) for name in pinned.FUNCTIONS[module])
    else:
        text = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
    assert re.search(rf"\b{key[1].rpartition('.')[2]}\b", text)
