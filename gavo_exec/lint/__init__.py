"""The linter: what is sound Python in job code and yet a mistake, told by ``check`` as warnings with codes W6xx.

It says only what is certain from the text itself: literal paths, literal numbers, names that can be followed.  It works
on the model, runs nothing, and asks nothing of the world but whether files are there.
"""

import ast
import os.path
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress

from gavo_exec.errors import Diagnostic
from gavo_exec.lint.calls import CALLS
from gavo_exec.lint.names import DACHS_NAMES, bindings, parameters
from gavo_exec.lint.statements import RULES, look_at_names
from gavo_exec.lint.view import Finding, Snippet, Surroundings, View, parsed
from gavo_exec.model import Code, Execute, ResourceDescriptor

__all__ = ["lint"]

_MOST = 1000
"""Nobody reads on, and to go on might take long."""

_SETUP_NAMES = frozenset({"rd", "parent"})
_JOB_NAMES = _SETUP_NAMES | {"execDef"}


def _no_lines(_path: str) -> Sequence[str]:
    """No file's lines are known."""
    return ()


def lint(
    rd: ResourceDescriptor,
    *,
    names: Collection[str],
    has_dachs: bool,
    lines: Callable[[str], Sequence[str]] = _no_lines,
) -> tuple[Diagnostic, ...]:
    """The classic mistakes in the jobs of an RD, in document order, each place once.

    ``names`` are those that job code finds without import, beside ``rd``, ``parent`` and ``execDef``; ``has_dachs``
    tells that DaCHS is installed, so that its names are no mistake.  ``lines`` answers the lines of a file, or none:
    without them, diagnostics have neither columns nor fixes.

    About a line of code with a comment such as ``# noqa: W604`` nothing is said under that code.
    """
    known = frozenset(names) | (DACHS_NAMES if has_dachs else frozenset())
    resdir = rd.resdir if os.path.isdir(rd.resdir) else ""  # noqa: PTH112 -- paths are strings in this house
    around = Surroundings(resdir=resdir, inputs_dir=rd.inputs_dir, has_dachs=has_dachs, names=known)
    found: dict[tuple[object, ...], Diagnostic] = {}
    for diagnostic in (each for execute in rd.executes for each in _look_at(execute, around, lines)):
        # Executes that a LOOP makes have one place in the file.
        found.setdefault((diagnostic.position, str(diagnostic)), diagnostic)
        if len(found) >= _MOST:
            break
    return tuple(
        sorted(found.values(), key=lambda each: (each.position.path, each.position.line, each.position.column))
    )


def _look_at(execute: Execute, around: Surroundings, lines: Callable[[str], Sequence[str]]) -> Iterator[Diagnostic]:
    """What is to be said about an execute's code, setup first."""

    def snippets(codes: Sequence[Code]) -> list[Snippet]:
        trees = [(code, parsed(code)) for code in codes]
        return [Snippet(code, tree, lines(code.position.path)) for code, tree in trees if tree is not None]

    setup, body = snippets(execute.job.setup), snippets([execute.job])
    trees = tuple(snippet.tree for snippet in (*setup, *body))
    bound = bindings(trees)
    known = around.names | parameters(trees)
    for snippet in setup:
        yield from _said(snippet, View(around, names=known | _SETUP_NAMES, trees=trees, bindings=bound))
    for snippet in body:
        view = View(around, names=known | _JOB_NAMES, trees=trees, bindings=bound, body=snippet.tree)
        yield from _said(snippet, view)


def _said(snippet: Snippet, view: View) -> Iterator[Diagnostic]:
    """What is to be said about a piece of code; of what is nested too deeply, as far as that can be seen."""
    with suppress(RecursionError):
        yield from (snippet.diagnostic(found) for found in _found(snippet, view) if not snippet.is_silenced(found))


def _found(snippet: Snippet, view: View) -> Iterator[Finding]:
    """All that the rules find in a piece of code."""
    for node in ast.walk(snippet.tree):
        if isinstance(node, ast.Call) and (rule := CALLS.get(view.dotted(node.func))) is not None:
            yield from rule(node, view)
        for kind, look in RULES:
            if isinstance(node, kind):
                yield from look(node, view)
    yield from look_at_names(snippet.tree, view)
