"""Python code in RDs: its indentation, its macros, its faults, and the lines it stands in."""

import ast
import io
import re
import tokenize
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise

import msgspec

from gavo_exec.descriptor.codefaults import INDENTATION, Body, CodeFault, find_fault, find_unfit, line_starts
from gavo_exec.descriptor.places import Part, Place, source_line
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import BY_THE_RD, Stage, report_macro_fault
from gavo_exec.errors import Position
from gavo_exec.macros import Expansion, Macro, expand
from gavo_exec.model import Code


class _Layout(msgspec.Struct, frozen=True):
    """Code with its indentation removed; ``removed`` has for each line how many characters of it went.

    ``ragged`` are the lines that do not begin with ``margin``, which is what others lost.
    """

    text: str
    removed: list[int]
    ragged: frozenset[int]
    margin: str


def read_code(
    place: Place, text: str, *, macros: Mapping[str, Macro] | None, report: Report, body: Body = Body.JOB
) -> Code | None:
    """The code of a job, of setup or of items, as the RD means it; None where it is faulty, which is reported.

    Without ``macros`` none are expanded, and backslashes stay as they are.
    """
    text = text.replace("\r", " ")  # only &#13; brings these here; Python would count lines by them
    layout, expansion, fault = _choose_layout(text, macros, body=body)
    to_text = _Offsets(text, layout, expansion)
    if report_macros(layout.text, expansion, lambda start, end: place.within(*to_text.span(start, end)), report):
        return None
    if macros is not None:
        _report_swallowed(layout.text, lambda start, end: place.within(*to_text.span(start, end)), report)
    if fault is not None:
        start, end = to_text.span(expansion.origin(fault.start), expansion.origin(fault.end - 1) + 1)
        message = _LINE.sub(lambda found: to_text.name_line(found, place, report), fault.message)
        hint = (
            fault.hint
            or _hint_about_lines(place, text, report)
            or _hint_at_backslashes(layout.text, expansion.origin(fault.start))
        )
        report.add(fault.code, message, place.within(start, end), hint=hint)
        return None
    return _code(place, expansion=expansion, to_text=to_text, report=report)


def _hint_at_backslashes(code: str, offset: int) -> str:
    """A hint where the line has doubled backslashes, of which Python sees half."""
    line = code[code.rfind("\n", 0, offset) + 1 :].partition("\n")[0]
    return "macros are expanded first: of \\\\ one backslash is left, write four for two" if "\\\\" in line else ""


def _hint_about_lines(place: Place, text: str, report: Report) -> str:
    """The mend where code was written in several lines and has come to be one."""
    if place.part is not Part.VALUE or "\n" in text:
        return ""
    first, last = report.lines_of(place, [0, max(len(text) - 1, 0)])
    return "" if first == last else "in an attribute, line feeds are blanks; put the code into <code>...</code>"


_EMPTY = "__EMPTY__"
"""What stands for the empty string in parameters, as the macro magicEmpty gives it, too."""


def read_expression(place: Place, text: str, name: str, *, macros: Mapping[str, Macro], report: Report) -> Code | None:
    """The assignment of an expression to a name; None where the expression is faulty, which is reported."""
    expansion = expand(text, macros)
    bad = False
    for macro_fault in expansion.faults:
        bad = True
        report_macro_fault(macro_fault, place.within(macro_fault.start, macro_fault.end), report)
    if bad:
        return None
    begin = len(expansion.text) - len(expansion.text.lstrip())
    source = expansion.text.strip()
    if source == _EMPTY:
        source = "''"
    if problem := _problem_of_expression(source):
        hint = "names with @ are for rowmakers only" if "@" in source else "the value is a Python expression"
        report.add("E401", f"not a valid Python expression: {problem}", place, hint=hint)
        return None
    starts = [expansion.origin(begin + start) for start in line_starts(source)]
    return _code_at(f"{name} = {source}", report.lines_of(place, starts), report.path_of(place))


def _problem_of_expression(source: str) -> str:
    """Why this cannot be the value of a parameter; '' where it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        return (fault.msg if isinstance(fault, SyntaxError) else str(fault)) or "too deeply nested"
    is_unfit = find_unfit(tree, source, body=Body.SETUP)
    return "yield and await need a function of their own" if is_unfit else ""


def _choose_layout(
    text: str, macros: Mapping[str, Macro] | None, *, body: Body
) -> tuple[_Layout, Expansion, CodeFault | None]:
    """The first way to remove indentation that gives Python, or else the first of all, with its fault."""
    first: tuple[_Layout, Expansion, CodeFault] | None = None
    for layout in _layouts(text):
        expansion = Expansion(text=layout.text) if macros is None else expand(layout.text, macros)
        fault = find_fault(expansion.text, body=body) or _find_ragged(layout, expansion)
        if fault and (line := layout.text.count("\n", 0, expansion.origin(fault.start))) in layout.ragged:
            is_less = layout.margin.startswith(_margin(layout.text.split("\n")[line]))
            problem = "too little indentation" if is_less else "indentation by other white space than before"
            fault = CodeFault("E401", f"not valid Python: {problem}", fault.start, fault.end, INDENTATION)
        if fault is None or fault.parses:
            return layout, expansion, fault
        first = first or (layout, expansion, fault)
    assert first is not None  # noqa: S101 -- there is always one
    return first


class _Offsets:
    """From offsets in the layout of code back to those in the text as it stands in the RD."""

    def __init__(self, text: str, layout: _Layout, expansion: Expansion) -> None:
        self._text = text
        self._layout = layout
        self._expansion = expansion

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        """Where the lines begin in the layout and in the text."""
        return line_starts(self._layout.text), line_starts(self._text)

    def __call__(self, offset: int) -> int:
        """The offset in the text."""
        in_layout, in_text = self._starts
        line = bisect_right(in_layout, offset) - 1
        return in_text[line] + self._layout.removed[line] + offset - in_layout[line]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the text."""
        begin = self(start)
        return begin, max(begin, self(max(start, end - 1))) + 1

    def name_line(self, found: re.Match[str], place: Place, report: Report) -> str:
        """A line of the code that Python speaks of as one of the file."""
        starts = line_starts(self._expansion.text)
        start = self(self._expansion.origin(starts[min(int(found[1]), len(starts)) - 1]))
        return f"in line {report.position(place.within(start, start + 1)).line}"

    def lines(self, offsets: list[int]) -> list[int]:
        """For offsets in the expanded code the lines of the text, from 0."""
        _, in_text = self._starts
        return [bisect_right(in_text, self(self._expansion.origin(offset))) - 1 for offset in offsets]


_LINE = re.compile(r"\b(?:on|at) line (\d+)")


def _code(place: Place, *, expansion: Expansion, to_text: _Offsets, report: Report) -> Code:
    """The code, its lines mapped to those of the file; blank lines round it are left out."""
    source = expansion.text.rstrip()
    if _ONLY_COMMENTS.fullmatch(source):
        source = ""
    begin = len(source) - len(source.lstrip("\n"))
    source = source[begin:]
    is_plain = place.part is Part.TEXT and not len(place.node) and report.is_plain(place.node)
    path = report.path_of(place)
    if is_plain and expansion.keeps_lines:
        # The text begins in the line in which the start tag ends.
        return _code_at(source, [source_line(place.node) + begin], path)
    starts = [begin + start for start in line_starts(source)]
    if is_plain:
        return _code_at(source, [source_line(place.node) + line for line in to_text.lines(starts)], path)
    return _code_at(source, report.lines_of(place, [to_text(expansion.origin(start)) for start in starts]), path)


_ONLY_COMMENTS = re.compile(r"(?:\s*+#[^\n]*+)*+")


def _code_at(source: str, lines: list[int], path: str) -> Code:
    """The code whose lines are these of the file, or count on from the only one given."""
    straight = all(here == before + 1 for before, here in pairwise(lines))
    return Code(
        source=source + "\n" if source else "",
        first_line=lines[0],
        lines=() if straight else tuple(lines),
        position=Position(path=path, line=lines[0]),
    )


def _layouts(text: str) -> Iterator[_Layout]:
    """The ways to remove indentation, DaCHS's own first; those after it are for code that does not compile so.

    What comes before the first line feed is a line of its own.  From there on DaCHS takes the white space of the first
    line that is not blank off all lines, and refuses others; here comments and what strings go on with may stand
    further left, as in Python.
    """
    first, *rest = text.split("\n")
    governing = next((_margin(line) for line in rest if line.strip()), "")
    yield _remove(first, rest, governing)
    if first.strip():
        margins = [_margin(line) for line in rest if line.strip() and not line.lstrip().startswith("#")]
        least = min(margins, key=len, default="")
        yield _remove(first, rest, least)
        yield _remove(first, rest, "")


def _margin(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def _remove(first: str, rest: list[str], margin: str) -> _Layout:
    """The code with this margin removed where lines have it; comments lose whatever they have of it."""
    lines = [first.lstrip()]
    removed = [len(first) - len(lines[0])]
    ragged = []
    for line in rest:
        kept = line
        if not line.strip():
            kept = ""
        elif line.startswith(margin):
            kept = line[len(margin) :]
        elif line.lstrip().startswith("#"):
            kept = line.lstrip()
        else:
            ragged.append(len(lines))
        lines.append(kept)
        removed.append(len(line) - len(kept) if kept else 0)
    return _Layout("\n".join(lines), removed, frozenset(ragged), margin)


def _find_ragged(layout: _Layout, expansion: Expansion) -> CodeFault | None:
    """A line with less indentation than the others that is not within a string or brackets; has no message."""
    if not layout.ragged:
        return None
    code = expansion.text
    starts = line_starts(code)
    in_layout = line_starts(layout.text)
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.NEWLINE:
            begins = True
        elif begins and token.type not in _NO_BEGINNING:
            begins = False
            start = starts[token.start[0] - 1]
            if bisect_right(in_layout, expansion.origin(start)) - 1 in layout.ragged:
                start += token.start[1]
                return CodeFault("E401", "", start, start + 1)
    return None


_NO_BEGINNING = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})

_TEXTS = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|'''(?:\\.|[^\\])*?(?:'''|\Z)"
    r'|"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'(?:\\.|[^'\\\n])*'?"
    r'|"(?:\\.|[^"\\\n])*"?',
    re.DOTALL,
)


def _report_swallowed(code: str, where: Callable[[int, int], Place], report: Report) -> None:
    """Warn of comments that end in a backslash: as macros are expanded, the line after them becomes part of them."""
    for found in _TEXTS.finditer(code) if "\\\n" in code else ():
        comment = found["comment"] or ""
        backslashes = len(comment) - len(comment.rstrip("\\"))
        following = code[found.end() + 1 :].partition("\n")[0].strip()
        if backslashes % 2 and following and not following.startswith("#"):
            message = f"the backslash joins the line after it to this comment, so that it is not run: {following[:60]}"
            report.add("W505", message, where(found.end() - 1, found.end()), hint="remove the backslash", fix="")


def report_macros(
    code: str,
    expansion: Expansion,
    where: Callable[[int, int], Place],
    report: Report,
    stage: Stage = BY_THE_RD,
) -> bool:
    """Report the macros that failed in Python code, and whether any of them matters: in comments they do not.

    ``where`` is the place of a stretch of it.
    """
    if not (expansion.faults or expansion.stray_glue):
        return False
    texts = [(found.start(), found.end(), found["comment"] is not None) for found in _TEXTS.finditer(code)]

    def stands_in(offset: int, *, comment: bool) -> bool:
        return any(start <= offset < end and is_comment is comment for start, end, is_comment in texts)

    bad = False
    for fault in expansion.faults:
        place = where(fault.start, fault.end)
        if stands_in(fault.start, comment=True):
            report.add("W501", f"{fault.message}; it is left alone, as it stands in a comment", place, hint=fault.hint)
        else:
            bad = True
            report_macro_fault(fault, place, report, stage)
    for offset in expansion.stray_glue:
        if stands_in(offset, comment=False):
            message = "\\+ vanishes here, as it does wherever macros are expanded"
            report.add(
                "W502", message, where(offset, offset + 2), hint="to have it in the string, write \\\\+", fix="\\\\+"
            )
    return bad
