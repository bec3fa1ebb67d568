"""What can be wrong, where, and what to do about it: positions, diagnostics and the exception tree.

This is the floor of the house: it imports nothing of it.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec


class Severity(Enum):
    """How bad a diagnostic is: an error refuses the RD, a warning does not, a note is told where it is asked for."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file: lines and columns count from 1, columns in characters.

    ``via`` holds the places through which this one was reached (a FEED that replayed a stream, say), outermost last.
    """

    path: str
    line: int = 1
    column: int = 1
    via: tuple["Position", ...] = ()

    def __str__(self) -> str:
        """``path:line:column``, which editors can jump to."""
        return f"{plain(self.path)}:{self.line}:{self.column}"


NOWHERE = Position(path="")
"""The position of values that no file says."""

CODES: Mapping[str, str] = MappingProxyType(
    {
        # 1: the file and its XML
        "E101": "The file cannot be read.",
        "E102": "The file is not well-formed XML.",
        "E103": "The file is larger than an RD may be.",
        "E104": "The file's encoding is unknown, or the file does not follow it.",
        "E105": "The file declares external entities or an external DTD; these are never read.",
        "E106": "The file's entities expand to too much text.",
        "E107": "The file's elements are nested too deeply.",
        "E108": "The root element is not resource.",
        "E109": "The file has a name from which no keys of executes can be made.",
        "E110": "Others could write the file, whose code runs as the daemon's user.",
        "W101": "Others could write the file, whose code runs as the daemon's user.",
        # 2: elements and attributes
        "E201": "An element stands where it is not known.",
        "E202": "An attribute is not known here.",
        "E203": "Something required is missing.",
        "E204": "Text stands where only elements may.",
        "E205": "An atom has attributes or children.",
        "E206": "Two executes have one id.",
        "E207": "Not exactly one of at, every and on is given.",
        "E208": "Something stands too late in its element.",
        "E209": "A property is none of the settings that its name is kept for.",
        "W201": "A value is given twice; the last one counts.",
        "W202": "Two executes have one title and no ids.",
        "W203": "The resource has no schema.",
        "W204": "An execute stands where it is never run.",
        "W205": "An element that is passed over looks like a misspelt execute.",
        "W206": "The resdir is not a folder.",
        "W207": "A property has a name that is kept for settings of later versions, and no effect.",
        "W208": "A setting of an execute has no effect in the company that it is in.",
        "W209": "An execute is rarely due.",
        # 3: values
        "E301": "A time in at is not understood.",
        "E302": "An interval in every is not understood.",
        "E303": "A value is not of its type.",
        "E304": "The value of a property that is a setting is not understood.",
        "E305": "An execute is never due.",
        # 4: job code
        "E401": "Job code is not valid Python.",
        "E402": "Job code is a generator, of which nothing would ever run.",
        # 5: macros, references, procedures (51) and active tags (52)
        "E501": "A macro is not known.",
        "E502": "A macro call has the wrong arguments, or failed.",
        "E503": "A reference leads nowhere.",
        "E504": "A reference leads back to itself.",
        "E505": "A reference leads to an element of the wrong kind.",
        "E506": "A reference is not understood.",
        "E511": "A parameter has neither a default nor a binding.",
        "E512": "A binding is for a parameter that is not there.",
        "E513": "A parameter is bound under its name and under its alias.",
        "E521": "A FEED or LOOP does not say what to replay.",
        "E522": "The items of a LOOP are not understood.",
        "E523": "The items of a LOOP are made by code, which is not allowed to run while RDs are read.",
        "E524": "The code that makes the items of a LOOP failed.",
        "E525": "Active tags make too much.",
        "W501": "A macro that is unknown or fails stands in a Python comment and is left alone.",
        "W502": "A \\+ in a string of job code vanishes.",
        "W503": "A FEED or LOOP is passed over, since its stream cannot be had.",
        "W504": "A procedure is used that is deprecated.",
        "W505": "A comment in job code swallows the line after it.",
        # 6: what is sound Python in job code, and yet a mistake
        "W601": "A program that job code spawns is not there, or cannot be executed.",
        "W602": "A Python program that job code spawns is not there.",
        "W603": "A module that job code loads is not there.",
        "W604": "Job code sleeps for long.",
        "W605": "Job code changes what all of the daemon shares.",
        "W606": "Job code doubles, replaces or ends the daemon's process.",
        "W607": "Job code wants signals, which are the daemon's.",
        "W608": "Job code ends itself by sys.exit.",
        "W609": "Job code starts programs past execDef.spawn.",
        "W610": "Job code catches what is to end it.",
        "W611": "Job code passes over whatever goes wrong.",
        "W612": "Job code waits for the network without a limit.",
        "W613": "Job code uses a relative path, which does not count from the resdir.",
        "W614": "Job code uses what only DaCHS has.",
        "W615": "Job code uses a name that is not defined.",
        "W616": "Job code leaves a thread behind.",
        # 7: what is otherwise than in DaCHS
        "N701": "DaCHS does not load the RD by itself, so that its jobs do not run there.",
        "N702": "DaCHS refuses the RD, since it has no schema.",
        "N703": "An execute runs when its RD is loaded, which DaCHS 2.7 refuses.",
        "N704": "DaCHS never runs an execute that has the title of a later one in the same RD.",
        "N705": "DaCHS fails to mail debug output of spawned programs.",
        "N711": "Job code gives spawn a string, which fails in DaCHS.",
        "N712": "Job code gives spawn a path that counts from another directory in DaCHS.",
        "N713": "Job code runs a Python program with another interpreter than in DaCHS.",
        "N714": "Job code uses spawnPython in a way that DaCHS does not know.",
        "N715": "Job code ends in a way that DaCHS does not notice.",
        "N716": "Job code uses what only the DaCHS server has.",
        "N717": "Job code shares things through rd, which nothing beside the RD's jobs sees here.",
        "N718": "Job code loads a module by a path that DaCHS takes otherwise.",
        "N731": "The RD is refused here for something that DaCHS takes otherwise.",
    }
)
"""Every diagnostic's code with what it means in general; the page of codes is made from this table."""


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One fault or warning: a stable code, the particular message, the place, and the mend.

    ``excerpt`` is the line of the file at ``position``; ``length`` is how many characters from the position's column on
    are at fault (0 where no stretch of text is).  ``fix`` is what to write instead of them, where the mend is
    mechanical.
    """

    code: str
    message: str
    position: Position
    severity: Severity = Severity.ERROR
    hint: str = ""
    excerpt: str = ""
    length: int = 0
    fix: str | None = None

    def __str__(self) -> str:
        """``path:line:column: CODE message``, on one line."""
        return f"{self.position}: {self.code} {plain(self.message)}"

    def render(self) -> str:
        """The diagnostic for people: the line, the offending text marked, places on the way, and the hint."""
        lines = [str(self)]
        if self.excerpt:
            shown, start = _window(self.excerpt, self.position.column - 1)
            lines.append(f"    {shown}")
            if self.length:
                # Tabs are kept in the lead so that the marker stands under its text however wide they are shown.
                lead = "".join("\t" if char == "\t" else " " for char in shown[:start])
                lines.append(f"    {lead}{'^' * max(1, min(self.length, len(shown) - start))}")
        lines.extend(f"  via {place}" for place in self.position.via)
        if self.hint:
            lines.append(f"  hint: {plain(self.hint)}")
        return "\n".join(lines)


def plain(text: str) -> str:
    """The text on one line, safe for terminals: what cannot be printed is written as its escape in Python."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def spelt_out(value: Any) -> Any:
    """A value made of texts, mappings and lists, with halves of characters, which UTF-8 does not have, spelt out."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {spelt_out(name): spelt_out(item) for name, item in value.items()}
        case list() | tuple():
            return [spelt_out(item) for item in value]
        case _:
            return value


def shortened(text: str, length: int = 60) -> str:
    """The text in quotes for a message, its end left out where it is longer than this many characters."""
    return repr(text) if len(text) <= length else f"{text[:length]!r}..."


def _window(text: str, start: int, width: int = 160) -> tuple[str, int]:
    """At most ``width`` characters of ``text`` round ``start``, control characters blanked; where start is in it."""
    start = min(start, len(text))
    first = max(0, start - width // 2) if len(text) > width else 0
    shown = "".join(char if char == "\t" or char.isprintable() else " " for char in text[first : first + width])
    return shown.rstrip(), start - first


class GavoExecError(Exception):
    """Anything this program foresees: its text is for operators and needs no traceback."""


class DescriptorError(GavoExecError):
    """An RD is refused; ``diagnostics`` has every fault found, in document order, warnings among them.

    ``sources`` are all files it was read from, ``absent`` those that were looked for in vain, as far as it got.
    """

    def __init__(
        self, diagnostics: Iterable[Diagnostic], *, sources: tuple[str, ...] = (), absent: tuple[str, ...] = ()
    ) -> None:
        self.diagnostics = tuple(diagnostics)
        self.sources = sources
        self.absent = absent
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


class SettingsError(GavoExecError):
    """A setting cannot be used; the text names where it was given."""


class RunError(GavoExecError):
    """A run went wrong in a way we know about."""


class SpawnFailed(RunError):  # noqa: N818 -- the event's name says more than a suffix
    """A program could not be started."""


class RunTimeout(RunError):  # noqa: N818 -- the event's name says more than a suffix
    """A child ran longer than it may."""


class DeliveryError(GavoExecError):
    """A mail was not taken; ``permanent`` tells that trying again is of no use."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(message)


class StoreError(GavoExecError):
    """The state file cannot be used."""


class DamagedStateError(StoreError):
    """The state file is no database, or a damaged one."""


class ReportableError(GavoExecError):
    """What job code raises to say in plain words what is wrong; ``hint`` is shown with it."""

    def __init__(self, msg: str = "", hint: str = "") -> None:
        self.msg = msg
        self.hint = hint
        super().__init__(msg)
