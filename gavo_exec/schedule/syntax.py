"""What is said about schedules that are not understood."""

from gavo_exec.errors import GavoExecError


class ScheduleSyntaxError(GavoExecError):
    """A schedule is not understood; ``start`` and ``end`` are the offending span within the text given.

    ``fix`` is what to write there instead, where that is plain.
    """

    def __init__(self, message: str, *, start: int = 0, end: int = 0, hint: str = "", fix: str | None = None) -> None:
        self.start = start
        self.end = end
        self.hint = hint
        self.fix = fix
        super().__init__(message)
