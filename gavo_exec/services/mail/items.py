"""What a mail tells of: an incident with what is remembered beside it."""

import msgspec

from gavo_exec.errors import Diagnostic
from gavo_exec.incidents import Incident
from gavo_exec.model import HeldBack, Rejection, Run


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, with what is known of it for its mail.

    ``run`` is its latest run that went wrong, with its output; ``attempts`` are earlier attempts at the same instant,
    the first of them first.  Of RDs it is the ``rejection`` and the jobs that run on, or, where it is good again, how
    many ``executes`` it has and what the reader warns of.
    """

    incident: Incident
    run: Run | None = None
    attempts: tuple[Run, ...] = ()
    rejection: Rejection | None = None
    held_back: tuple[HeldBack, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    executes: int = 0
