"""The names of job code: what it binds, where that comes from, and what is bound nowhere."""

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import msgspec

DACHS_NAMES = frozenset({"MS", "api", "codetricks", "coords", "pgsphere", "pql", "sqlmunge", "stc"})
"""What job code finds without import in DaCHS alone."""

BUILTINS = frozenset({*dir(builtins), "__class__"})

_DYNAMIC = frozenset({"exec", "eval", "globals", "locals", "vars"})
"""Who calls these may make names that nobody can see."""

_GIVEN = frozenset({"rd", "execDef", "parent", "base", "utils"})
"""As parameters of functions, too, these are what they are called."""


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What code binds: ``imported`` with the dotted name that each comes from, ``other`` in any other way.

    ``is_open`` tells that there may be more.
    """

    imported: dict[str, str]
    other: frozenset[str]
    is_open: bool

    def origin(self, name: str) -> str:
        """The dotted name that this one stands for; '' where that is not certain."""
        if name in self.other:
            return ""
        return self.imported.get(name, name)

    def has(self, name: str) -> bool:
        """Whether the code binds this name, in whatever scope."""
        return name in self.other or name in self.imported


def bindings(trees: Iterable[ast.Module]) -> Bindings:
    """What these pieces of code bind, taken together: in which scope does not matter."""
    imported: dict[str, str] = {}
    other: set[str] = set()
    is_open = False
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Import() | ast.ImportFrom():
                for name, origin in _imports(node):
                    if imported.setdefault(name, origin) != origin:
                        other.add(name)  # one name for several things
                is_open |= any(alias.name == "*" for alias in node.names)
            case ast.Call(func=ast.Name(id=name)) if name in _DYNAMIC:
                is_open = True
            case _:
                other.update(_bound(node))
    return Bindings(imported=imported, other=frozenset(other), is_open=is_open)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, and what they stand for."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            top = alias.name.partition(".")[0]
            yield top, top


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds other than by import."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name) if name not in _GIVEN:
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names


def parameters(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of the parameters of all functions in this code."""
    return frozenset(node.arg for tree in trees for node in ast.walk(tree) if isinstance(node, ast.arg))


def undefined(tree: ast.Module, known: frozenset[str], bound: Bindings) -> list[ast.Name]:
    """The names that are used here and neither known nor bound anywhere, each where it is used first."""
    if bound.is_open:
        return []
    found: dict[str, ast.Name] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id not in known
            and node.id not in BUILTINS
            and not bound.has(node.id)
        ):
            first = found.setdefault(node.id, node)
            if (node.lineno, node.col_offset) < (first.lineno, first.col_offset):
                found[node.id] = node
    return list(found.values())


def mend(name: str, known: frozenset[str], bound: Bindings) -> str:
    """What to do about a name that is not defined."""
    if name in sys.stdlib_module_names:
        return f"import {name} in the code"
    like = get_close_matches(name, sorted({*known, *bound.imported, *bound.other, *BUILTINS}), n=1, cutoff=0.75)
    return f"did you mean {like[0]}?" if like else "assign or import it before it is used"
