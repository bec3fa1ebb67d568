"""The rules about statements and names."""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gavo_exec.lint.calls import exit_finding
from gavo_exec.lint.names import DACHS_NAMES, mend, undefined
from gavo_exec.lint.view import Finding, View

_ONLY_DACHS = frozenset(
    {
        "base.getTableConn",
        "base.getWritableTableConn",
        "base.getUntrustedConn",
        "base.getWritableUntrustedConn",
        "base.getAdminConn",
        "base.getWritableAdminConn",
    }
)
_DACHS_HINT = "DaCHS is not installed here; do the work in a program, and spawn it where DaCHS is"
_STREAMS = frozenset({"sys.stdout", "sys.stderr", "sys.stdin"})


def _handler(handler: ast.ExceptHandler, view: View) -> Iterator[Finding]:
    """Handlers that catch too much, or say nothing."""
    if any(isinstance(node, ast.Raise) for statement in handler.body for node in ast.walk(statement)):
        return
    caught = _caught(handler, view)
    if "BaseException" in caught:
        message = "this also catches what is to end the job: sys.exit, Ctrl-C, being stopped"
        hint = "catch Exception, or what you expect"
        if handler.type is None:
            yield Finding("W610", message, handler, hint, fix=lambda _: "except Exception", length=len("except"))
        else:
            single = isinstance(handler.type, ast.Name)
            yield Finding("W610", message, handler.type, hint, fix=(lambda _: "Exception") if single else None)
    if caught & {"BaseException", "Exception"} and all(map(_does_nothing, handler.body)):
        yield Finding(
            "W611",
            "whatever goes wrong here is in no mail, and the run is a good one",
            handler if handler.type is None else handler.type,
            "catch what you expect, or tell it: base.ui.notifyWarning(...)",
            length=len("except") if handler.type is None else None,
        )


def _caught(handler: ast.ExceptHandler, view: View) -> set[str]:
    """The names of what is caught."""
    match handler.type:
        case None:
            return {"BaseException"}
        case ast.Tuple(elts=each):
            return {view.dotted(kind) for kind in each}
        case kind:
            return {view.dotted(kind)}


def _does_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is only there since one must be."""
    return isinstance(statement, ast.Pass | ast.Continue) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _raise(node: ast.Raise, view: View) -> Iterator[Finding]:
    """SystemExit by its own name."""
    match node.exc:
        case ast.Call(func=func, args=args) if view.dotted(func) == "SystemExit":
            yield exit_finding(node, args)
        case ast.Name() as name if view.dotted(name) == "SystemExit":
            yield exit_finding(node, [])


def _assignment(node: ast.Assign | ast.AugAssign | ast.Delete, view: View) -> Iterator[Finding]:
    """Changes of what the whole process has."""
    for target in [node.target] if isinstance(node, ast.AugAssign) else node.targets:
        match target:
            case ast.Subscript(value=value) if view.dotted(value) == "os.environ":
                message = "this changes the environment of the whole daemon"
                yield Finding("W605", message, target, 'for a child, spawn ["env", "NAME=value", "program"]')
            case ast.Attribute() if view.dotted(target) in _STREAMS:
                message = "this takes the output of all jobs away, and of the daemon"
                yield Finding("W605", message, target, "print to a file of your own: print(..., file=...)")


def _import(node: ast.Import | ast.ImportFrom, view: View) -> Iterator[Finding]:
    """Imports of DaCHS where it is not installed, unless the code is prepared for that."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    if view.has_dachs or not any(name.partition(".")[0] == "gavo" for name in names):
        return
    if not view.is_tried(node):
        yield Finding("W614", "gavo is a part of DaCHS", node, _DACHS_HINT)


def _attribute(node: ast.Attribute, view: View) -> Iterator[Finding]:
    """Connections to DaCHS's database."""
    if not view.has_dachs and (name := view.dotted(node)) in _ONLY_DACHS:
        yield Finding("W614", f"{name} is only there in DaCHS", node, _DACHS_HINT)


def look_at_names(tree: ast.Module, view: View) -> Iterator[Finding]:
    """Names that nothing defines."""
    for node in undefined(tree, view.names, view.bindings):
        if node.id in DACHS_NAMES:
            yield Finding("W614", f"{node.id} is only there in DaCHS", node, _DACHS_HINT)
        elif node.id == "execDef":
            yield Finding("W615", "execDef is not there in setup code", node, "use parent")
        else:
            hint = mend(node.id, view.names, view.bindings)
            yield Finding("W615", f"the name {node.id} is not defined", node, hint)


RULES: Sequence[tuple[Any, Callable[[Any, View], Iterator[Finding]]]] = (
    (ast.ExceptHandler, _handler),
    (ast.Raise, _raise),
    (ast.Assign | ast.AugAssign | ast.Delete, _assignment),
    (ast.Import | ast.ImportFrom, _import),
    (ast.Attribute, _attribute),
)
"""By the kinds of nodes: the rules for them."""
