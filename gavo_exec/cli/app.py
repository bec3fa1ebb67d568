"""The group of all commands, and what becomes of what they raise."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper

import click

from gavo_exec import __version__
from gavo_exec.cli.exits import BROKEN_PIPE, CTRL_C, DONE, FAILED, NO_DAEMON, WRONG_USE
from gavo_exec.cli.options import examples
from gavo_exec.cli.output import clean
from gavo_exec.control import NoDaemonError, UnknownNameError
from gavo_exec.errors import DescriptorError, GavoExecError, SettingsError

_MODULES = {
    "audit": "past",
    "cancel": "control",
    "check": "check",
    "completion": "completion",
    "doctor": "doctor",
    "execute": "runs",
    "explain": "explain",
    "export": "past",
    "history": "runs",
    "init": "init",
    "list": "listing",
    "mail": "mail",
    "next": "timetable",
    "pause": "control",
    "reload": "control",
    "resume": "control",
    "schema": "schema",
    "serve": "serve",
    "show": "show",
    "simulate": "simulate",
    "status": "control",
    "stop": "control",
    "tail": "live",
    "token": "token",
    "trigger": "live",
}


class _BrokenPipe(Exception):  # noqa: N818 -- a signal for ourselves, no error
    """Nobody reads our output any more."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for, so that each pays for itself only."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names of all commands."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- same
        """The command of this name, if there is one."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"gavo_exec.cli.{_MODULES[cmd_name]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)  # noqa: S101 -- the table and the modules belong together
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; says which one may be meant."""
        if args and args[0] not in _MODULES and not args[0].startswith("-"):
            from gavo_exec.cli.keys import meant

            ctx.fail(f"there is no command {args[0]!r}{meant(args[0], _MODULES)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a broken pipe is ours to handle, not click's, which would answer 1."""
        try:
            answer: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _BrokenPipe from None
        return answer


@click.group(
    cls=LazyGroup,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("gavo-exec serve examples", "gavo-exec check", "gavo-exec COMMAND --help"),
)
@click.version_option(__version__, prog_name="gavo-exec", message="%(prog)s %(version)s")
def group() -> None:
    """Run the jobs that resource descriptors (RDs) declare, on time, and mail what fails.

    Commands that ask the daemon (status, trigger, pause and the like) find it by its state directory; all others work
    on the files and the recorded state, whether or not a daemon runs.
    All instants are in UTC.
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line; answers the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A title that the terminal's encoding lacks must not end a listing.
            stream.reconfigure(errors="backslashreplace")
    try:
        answer = group.main(args=list(arguments), prog_name="gavo-exec", standalone_mode=False)
    except click.ClickException as error:
        # Where click found the fault, the command's help says more.
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else ""
        hint = f" (see {path} --help)" if path else ""
        return _complain(f"{error.format_message()}{hint}", error.exit_code)
    except click.Abort:
        return CTRL_C
    except _BrokenPipe:
        _close_stdout()
        return BROKEN_PIPE
    except GavoExecError as error:
        return _complain(_text(error), _code_of(error))
    except OSError as error:
        try:
            sys.stdout.flush()
        except OSError:
            _close_stdout()  # it is the very stream that fails
        where = f"{error.filename}: " if error.filename is not None else ""
        return _complain(f"{where}{error.strerror or error}", FAILED)
    return answer if isinstance(answer, int) else DONE


def _complain(message: str, code: int) -> int:
    """Say what is wrong, each fault on a line, and answer the code."""
    for line in message.splitlines():
        print(f"gavo-exec: {clean(line)}", file=sys.stderr)
    return code


def _code_of(error: GavoExecError) -> int:
    """The exit code for an error."""
    match error:
        case NoDaemonError():
            return NO_DAEMON
        case SettingsError() | UnknownNameError():
            return WRONG_USE
        case _:
            return FAILED


def _text(error: GavoExecError) -> str:
    """The error's text; of a refused RD the first fault and how to see the others, of a name what may be meant."""
    if isinstance(error, UnknownNameError):
        from gavo_exec.cli.keys import meant

        asked = str(error).partition("'")[2].partition("'")[0]
        return f"{error}{meant(asked, error.known)}"
    if not isinstance(error, DescriptorError) or not error.diagnostics:
        return str(error)
    first, *others = error.diagnostics
    more = f" (and {len(others)} more: gavo-exec check {first.position.path})" if others else ""
    return f"{first}{more}"


def _close_stdout() -> None:
    """Let the interpreter's last flush go nowhere, since it would complain once more."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- a device, no path
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
