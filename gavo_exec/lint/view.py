"""Job code as the rules look at it: where names come from, and where things stand in the file."""

import ast
import html
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.lint.names import Bindings
from gavo_exec.model import Code

Mend = Callable[[str], str]
"""What to write instead of a text."""


class Finding(NamedTuple):
    """What a rule has found: at a node, of whose text the first ``length`` characters are meant (None: all)."""

    code: str
    message: str
    node: ast.expr | ast.stmt | ast.ExceptHandler
    hint: str = ""
    fix: Mend | None = None
    length: int | None = None


class Surroundings(NamedTuple):
    """What is the same for all code of an RD.

    ``resdir`` is '' where that is no folder; ``names`` are in scope without import.
    """

    resdir: str
    inputs_dir: str
    has_dachs: bool
    names: frozenset[str]


class View:
    """What the rules can know beside the piece of code they look at.

    ``names`` are in scope, ``trees`` is all code of the job, its setup too, ``bindings`` what that binds; ``body`` is
    the code of the job's own function, if this is it.
    """

    def __init__(
        self,
        around: Surroundings,
        *,
        names: frozenset[str],
        trees: tuple[ast.Module, ...],
        bindings: Bindings,
        body: ast.Module | None = None,
    ) -> None:
        self.resdir = around.resdir
        self.inputs_dir = around.inputs_dir
        self.has_dachs = around.has_dachs
        self.names = names
        self.bindings = bindings
        self._trees = trees
        self._body = body

    def dotted(self, node: ast.expr) -> str:
        """Where a dotted name comes from: ``os.chdir`` for ``chdir`` after its import; '' for what is not known."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or not (origin := self.bindings.origin(node.id)):
            return ""
        return ".".join([origin, *reversed(parts)])

    @cached_property
    def called(self) -> frozenset[str]:
        """The dotted names of all functions that the job calls."""
        return frozenset(self.dotted(call.func) for call in self._calls())

    @cached_property
    def methods(self) -> frozenset[str]:
        """The names of all methods that the job calls, except those of literals."""
        functions = (call.func for call in self._calls())
        return frozenset(
            each.attr
            for each in functions
            if isinstance(each, ast.Attribute) and not isinstance(each.value, ast.Constant)
        )

    def _calls(self) -> Iterator[ast.Call]:
        return (node for tree in self._trees for node in ast.walk(tree) if isinstance(node, ast.Call))

    def ends_function(self, call: ast.Call) -> bool:
        """Whether a ``return`` could stand in place of this call: a statement of the job's own function."""
        return id(call) in self._statements

    @cached_property
    def _statements(self) -> frozenset[int]:
        """The ids of the expressions that are statements of the job's own function."""
        found: set[int] = set()
        waiting: list[ast.AST] = [self._body] if self._body is not None else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Expr):
                found.add(id(node.value))
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                waiting.extend(ast.iter_child_nodes(node))
        return frozenset(found)

    def is_tried(self, node: ast.stmt) -> bool:
        """Whether a statement stands in a ``try`` with handlers."""
        return id(node) in self._tried

    @cached_property
    def _tried(self) -> frozenset[int]:
        """The ids of the nodes that stand in a ``try`` with handlers."""
        found: set[int] = set()
        waiting: list[tuple[ast.AST, bool]] = [(tree, False) for tree in self._trees]
        while waiting:
            node, is_tried = waiting.pop()
            if is_tried:
                found.add(id(node))
            tried = {id(each) for each in node.body} if isinstance(node, ast.Try) and node.handlers else frozenset()
            waiting.extend((each, is_tried or id(each) in tried) for each in ast.iter_child_nodes(node))
        return frozenset(found)


def parsed(code: Code) -> ast.Module | None:
    """The tree of a piece of code; None where it is no Python, which the reader has told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of "\d" is for the run to say
            return ast.parse(code.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_LONGEST_EXCERPT = 10_000
"""Lines that are longer were not written by hand: they are not shown."""

_SILENCED = re.compile(r"#\s*noqa:\s*([A-Z]\d{3}(?:[\s,]+[A-Z]\d{3})*)")


class Snippet:
    """A piece of code with its tree, and the file that it stands in; ``file_lines`` may be empty."""

    def __init__(self, code: Code, tree: ast.Module, file_lines: Sequence[str]) -> None:
        self.tree = tree
        self._code = code
        self._file_lines = file_lines

    @cached_property
    def _lines(self) -> list[str]:
        return self._code.source.split("\n")

    def _line(self, row: int) -> str:
        """A line of the source, counted from 0."""
        return self._lines[min(row, len(self._lines) - 1)]

    def is_silenced(self, finding: Finding) -> bool:
        """Whether a comment in its line says that nothing is to be said about it."""
        comment = _SILENCED.search(self._line(finding.node.lineno - 1))
        return comment is not None and finding.code in re.split(r"[\s,]+", comment[1])

    def diagnostic(self, finding: Finding) -> Diagnostic:
        """The finding where it stands in the file; its fix only where the very text was found there."""
        node = finding.node
        row = node.lineno - 1
        line = self._line(row)
        # The tree counts columns in bytes of UTF-8.
        start = len(line.encode()[: node.col_offset].decode())
        is_whole = node.end_lineno == node.lineno
        end = len(line.encode()[: node.end_col_offset].decode()) if is_whole else len(line)
        if finding.length is not None:
            end = start + finding.length
        file_line = self._file_line(row)
        excerpt = self._file_lines[file_line - 1] if 0 < file_line <= len(self._file_lines) else ""
        if len(excerpt) > _LONGEST_EXCERPT:
            excerpt = ""
        text = line[start:end]
        column, length = _find(text, line, start, excerpt)
        can_fix = excerpt[column : column + length] == text != "" and (is_whole or finding.length is not None)
        return Diagnostic(
            code=finding.code,
            message=finding.message,
            severity=Severity.WARNING,
            position=Position(
                path=self._code.position.path, line=file_line, column=column + 1, via=self._code.position.via
            ),
            hint=finding.hint,
            excerpt=excerpt,
            length=length,
            fix=finding.fix(text) if can_fix and finding.fix is not None else None,
        )

    def _file_line(self, row: int) -> int:
        """The file's line for a line of the source, counted from 0."""
        lines = self._code.lines
        return lines[min(row, len(lines) - 1)] if lines else self._code.first_line + row


def _find(text: str, line: str, start: int, excerpt: str) -> tuple[int, int]:
    """Where a text of a line of code is in the file's line: column from 0, and length; length 0 where it is not found.

    In the file there may be macros and more indentation, and in place of ``<`` its entity.
    """
    whole = line.strip()
    if excerpt.count(whole) == 1:
        return excerpt.index(whole) + start - (len(line) - len(line.lstrip())), len(text)
    for form in dict.fromkeys((text, html.escape(text, quote=False))):
        if form and excerpt.count(form) == 1:
            return excerpt.index(form), len(form)
    return len(excerpt) - len(excerpt.lstrip()), 0
