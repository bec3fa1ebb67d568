r"""Macro expansion, ``\name{argument}``: text and a table of macros in, text out; pure.

A backslash with a name of two characters or more is a call; ``\\`` is a backslash, ``\+`` is nothing (it ends a name),
a backslash at the end of a line is, with the line feed, a blank.  Any other backslash stays as it is.  Arguments stand
in braces directly after the name, may hold calls themselves, and have ``\{`` and ``\}`` for braces; one that has
``\\`` or ``\+`` in it, or does not end, is none.  Results are not expanded again.
"""

import difflib
import re
import urllib.parse
from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gavo_exec.errors import GavoExecError

_MAX_NESTING = 20
_MAX_LENGTH = 1 << 20
_MAX_FAULTS = 100
"""Bounds on what calls within calls may come to (quoting quotes doubles them at each level), and on complaints."""


class MacroError(GavoExecError):
    """A macro has no result; raised by the functions of macros, its text says why."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """A function of ``least`` to ``most`` (None: any number of) strings that answers a string or raises MacroError."""

    function: Callable[..., str]
    least: int = 0
    most: int | None = 0

    def call(self, arguments: list[str]) -> str:
        """The macro's value; raises MacroError, also for a wrong number of arguments."""
        if len(arguments) < self.least or (self.most is not None and len(arguments) > self.most):
            takes = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            if self.most is None:
                takes = f"at least {self.least}"
            raise MacroError(f"takes {takes} argument{'' if takes == '1' else 's'}, not {len(arguments)}")
        value = self.function(*arguments)
        if len(value) > _MAX_LENGTH:
            raise MacroError("gives more than a megabyte of text")
        return value


class MacroFault(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was left as it is: its span in the text, why, and the ``name`` where no such macro is known."""

    start: int
    end: int
    message: str
    hint: str = ""
    unknown: str = ""


_UNCHANGED = ((0, 0, True),)


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    r"""A text after expansion, the faults met, and the places of ``\+`` that end no name.

    ``runs`` tells where its parts come from: (offset in the result, offset in the text given, whether copied).
    ``keeps_lines`` tells that no line feed came or went.
    """

    text: str
    faults: tuple[MacroFault, ...] = ()
    stray_glue: tuple[int, ...] = ()
    runs: tuple[tuple[int, int, bool], ...] = _UNCHANGED
    keeps_lines: bool = True

    def origin(self, offset: int) -> int:
        """The offset in the text given that a character of the result comes from: for results of calls, the call's."""
        start, source, copied = self.runs[bisect_right(self.runs, offset, key=lambda run: run[0]) - 1]
        return source + offset - start if copied else source


_TOKEN = re.compile(r"\\(?:([A-Za-z_][A-Za-z_0-9]+)|[\\+{}\n])|\}")
_NEXT_ARGUMENT = re.compile(r"[ \t]*\{")
_BRACE_AHEAD = re.compile(r"([ \t\n]*)\{")


def expand(text: str, macros: Mapping[str, Macro]) -> Expansion:
    """The text with all calls replaced; calls of unknown macros, or that fail, stay and are told as faults."""
    if "\\" not in text:
        return Expansion(text=text)
    return _Expander(text, macros).expand()


def _closing_braces(text: str) -> dict[int, int]:
    """For each brace that begins an argument the one that ends it; one pass, whatever the nesting."""
    closings: dict[int, int] = {}
    opened: list[int] = []
    for token in _TOKEN.finditer(text):
        if token[1]:
            if text.startswith("{", token.end()):
                opened.append(token.end())
        elif token[0] == "}":
            if opened:
                closings[opened.pop()] = token.start()
                if following := _NEXT_ARGUMENT.match(text, token.end()):
                    opened.append(following.end() - 1)
        elif token[0] in ("\\\\", "\\+"):
            opened.clear()  # no argument may hold these
    return closings


class _Expander:
    """One expansion: the pieces of the result and the faults as they come."""

    def __init__(self, text: str, macros: Mapping[str, Macro]) -> None:
        self.text = text
        self.macros = macros
        self.closings = _closing_braces(text)
        self.faults: list[MacroFault] = []
        self.pieces: list[str] = []
        self.runs: list[tuple[int, int, bool]] = []
        self.stray_glue: list[int] = []
        self.length = 0
        self.keeps_lines = True

    def put(self, piece: str, source: int, *, copied: bool) -> None:
        """Add to the result."""
        if piece:
            self.runs.append((self.length, source, copied))
            self.pieces.append(piece)
            self.length += len(piece)

    def expand(self) -> Expansion:
        """Go through the text outside of arguments."""
        position = 0
        call_end = -1
        while len(self.faults) < _MAX_FAULTS and (token := _TOKEN.search(self.text, position)):
            self.put(self.text[position : token.start()], position, copied=True)
            position = token.end()
            if token[1]:
                value, position = self.call(token, depth=0)
                call_end = position
                written = self.text[token.start() : position]
                self.put(written if value is None else value, token.start(), copied=value is None)
                self.keeps_lines &= value is None or not ("\n" in value or "\n" in written)
            elif token[0] == "\\\\":
                self.put("\\", token.start(), copied=False)
            elif token[0] == "\\\n":
                self.put(" ", token.start(), copied=False)
                self.keeps_lines = False
            elif token[0] != "\\+":
                self.put(token[0], token.start(), copied=True)
            elif token.start() != call_end:
                self.stray_glue.append(token.start())
        self.put(self.text[position:], position, copied=True)
        return Expansion(
            text="".join(self.pieces),
            faults=tuple(sorted(self.faults, key=lambda fault: fault.start)),
            stray_glue=tuple(self.stray_glue),
            runs=tuple(self.runs) or _UNCHANGED,
            keeps_lines=self.keeps_lines,
        )

    def call(self, token: re.Match[str], *, depth: int) -> tuple[str | None, int]:
        """The value of the call that begins with this token (None: it has none, faults tell) and where it ends."""
        arguments: list[str] = []
        end = token.end()
        brace = end if self.text.startswith("{", end) else -1
        while brace in self.closings:
            end = self.closings[brace]
            if depth < _MAX_NESTING:
                arguments.append(self.argument(brace + 1, end, depth=depth + 1))
            end += 1
            following = _NEXT_ARGUMENT.match(self.text, end)
            brace = following.end() - 1 if following else -1
        name = token[1]
        macro = self.macros.get(name)
        message = hint = ""
        if macro is None:
            message = f"there is no macro \\{name}"
            hint = self.hint_for_unknown(name)
        elif depth >= _MAX_NESTING:
            message = f"macro calls are nested more than {_MAX_NESTING} deep"
        else:
            try:
                return macro.call(arguments), end
            except MacroError as fault:
                message = f"the macro \\{name} {fault}"
                hint = fault.hint or self.hint_for_unread(end, has_arguments=bool(arguments))
        start = token.start()
        unknown = name if macro is None else ""
        self.faults.append(MacroFault(start=start, end=token.end(), message=message, hint=hint, unknown=unknown))
        return None, end

    def hint_for_unknown(self, name: str) -> str:
        """What may be meant by a name that is none of a macro."""
        plain = f"for a plain backslash before a name, double it: \\\\{name}"
        if begun := max((known for known in self.macros if name.startswith(known)), key=len, default=""):
            return f"where the name ends after \\{begun}, write \\{begun}\\+{name[len(begun) :]}; {plain}"
        near = difflib.get_close_matches(name, self.macros, n=1)
        return f"did you mean \\{near[0]}? {plain}" if near else plain

    def hint_for_unread(self, end: int, *, has_arguments: bool) -> str:
        """Why the brace after a call that has gone wrong begins no argument, if there is one."""
        ahead = _BRACE_AHEAD.match(self.text, end)
        if ahead is None:
            return ""
        if ahead[1] and not has_arguments:
            return "no blanks may stand before the first argument"
        if "\n" in ahead[1]:
            return "no line feeds may stand between arguments"
        return r"what follows is no argument, for it does not end, or has \\ or \+ in it"

    def argument(self, start: int, end: int, *, depth: int) -> str:
        """The value of the argument between these offsets."""
        pieces: list[str] = []
        while len(self.faults) < _MAX_FAULTS and (token := _TOKEN.search(self.text, start, end)):
            run = self.text[start : token.start()]
            start = token.end()
            if token[1]:
                value, start = self.call(token, depth=depth)
                # DaCHS loses blanks that are all there is before a call in an argument, and RDs may count on it.
                pieces.append(run if run.strip(" \t") else "")
                pieces.append(self.text[token.start() : start] if value is None else value)
            else:
                pieces += (run, token[0][1] if token[0] in ("\\{", "\\}") else token[0])
        pieces.append(self.text[start:end])
        return "".join(pieces)


def _quote(text: str) -> str:
    """In double quotes."""
    return '"' + text.replace('"', '\\"') + '"'


def _sqlquote(text: str) -> str:
    """As an SQL string; NULL stays bare."""
    return "NULL" if text == "NULL" else "'" + text.replace("'", "''") + "'"


def _decapitalize(text: str) -> str:
    """With a small first letter."""
    return text[:1].lower() + text[1:]


def _substitute(pattern: str, replacement: str, text: str) -> str:
    """As Python's re.sub; raises MacroError for bad patterns."""
    try:
        return re.sub(pattern, replacement, text)
    except (re.error, IndexError, OverflowError, RecursionError) as fault:
        raise MacroError(f"cannot use the pattern {pattern!r}: {fault}") from None


STANDARD: Mapping[str, Macro] = MappingProxyType(
    {
        "upper": Macro(function=str.upper, least=1, most=1),
        "lower": Macro(function=str.lower, least=1, most=1),
        "decapitalize": Macro(function=_decapitalize, least=1, most=1),
        "quote": Macro(function=_quote, least=1, most=1),
        "sqlquote": Macro(function=_sqlquote, least=1, most=1),
        "urlquote": Macro(function=urllib.parse.quote, least=1, most=1),
        "reSub": Macro(function=_substitute, least=3, most=3),
        "magicEmpty": Macro(function=lambda text: text or "__EMPTY__", least=1, most=1),
        "test": Macro(function=lambda *_: "test macro expansion", most=None),
    }
)
"""The macros that depend on nothing but their arguments."""
