"""What went wrong, in words: exceptions of job code, and children that failed."""

import shlex
import signal
import traceback
from contextlib import suppress

from gavo_exec.errors import ReportableError
from gavo_exec.ports import Completed

MAX_ERROR_CHARACTERS = 64 * 1024
"""How much of an error is kept: messages of exceptions can be as long as data."""

_LONGEST_LOCAL = 300
"""How many characters of a local variable's value are shown."""
_NO_NEWS = frozenset({"rd", "execDef", "self"})
"""Local variables of which everybody knows what they are."""


def describe_exception(fault: BaseException, *, shows_locals: bool = False) -> str:
    """The exception's own line first, then the traceback from where job code begins."""
    if type(fault) is ReportableError and fault.msg:
        cause = str(fault.msg)  # which says in plain words what is wrong
    else:
        own = traceback.TracebackException(type(fault), fault, None, compact=True)
        cause = "".join(own.format_exception_only()).strip()
    hint = f"\nhint: {fault.hint}" if isinstance(fault, ReportableError) and fault.hint else ""
    return bounded(f"{cause}{hint}\n\n{trace_of(fault, shows_locals=shows_locals)}")


def trace_of(fault: BaseException, *, shows_locals: bool = False) -> str:
    """The traceback, without the frames of this program that lie outside of job code."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("gavo_exec."):
        trace = trace.tb_next
    if shows_locals:
        with suppress(Exception):  # of a value that cannot be shown: then none is
            told = traceback.TracebackException(type(fault), fault, trace, capture_locals=True, compact=True)
            _shorten_locals(told)
            return "".join(told.format()).rstrip()
    return "".join(traceback.format_exception(type(fault), fault, trace)).rstrip()


def _shorten_locals(told: traceback.TracebackException) -> None:
    """Keep of local variables what may say something: job code's own, and the beginnings of their values."""
    chain: list[traceback.TracebackException | None] = [told]
    while chain:
        if (link := chain.pop()) is None:
            continue
        for frame in link.stack:
            frame.locals = {
                name: value if len(value) <= _LONGEST_LOCAL else f"{value[:_LONGEST_LOCAL]}..."
                for name, value in (frame.locals or {}).items()
                if name not in _NO_NEWS and not name.startswith("__")
            }
        chain += (link.__cause__, link.__context__, *(link.exceptions or ()))


def describe_failure(failure: Completed) -> str:
    """A failed child: its end and what it said last on the first line, then its command and where it ran."""
    command = shlex.join(failure.argv)
    called_at = f"\ncalled at:   {failure.called_at}" if failure.called_at else ""
    return (
        f"{how_ended(failure)}: {_last_line(failure.output) or command}\n"
        f"command:     {command}\n"
        f"directory:   {failure.cwd}\n"
        f"return code: {failure.returncode}"
        f"{called_at}"
    )


def _last_line(output: bytes) -> str:
    """What a program said last, which most often is what was wrong."""
    lines = output[-4096:].decode("utf-8", "backslashreplace").splitlines()
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "")


def how_ended(failure: Completed) -> str:
    """How a child ended, in a word or two."""
    if failure.timed_out:
        return "timed out"
    if failure.returncode >= 0:
        return f"exit {failure.returncode}"
    try:
        return f"ended by {signal.Signals(-failure.returncode).name}"
    except ValueError:
        return f"ended by signal {-failure.returncode}"


def bounded(text: str) -> str:
    """The text, its middle left out where it is too long."""
    if len(text) <= MAX_ERROR_CHARACTERS:
        return text
    half = MAX_ERROR_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
