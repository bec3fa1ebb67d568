"""The command reference and the manual page, derived from the commands themselves."""

import inspect
import re
from collections.abc import Iterator

import click

from gavo_exec import __version__
from gavo_exec.cli.app import group
from gavo_exec.cli.exits import MEANINGS
from gavo_exec.settings import SETTINGS

_ABOUT = "runs the jobs that XML resource descriptors declare"


def reference() -> str:
    """The text of ``docs/reference/cli.md``."""
    lines = [
        "# The command line",
        "",
        "<!-- Derived from the commands; change their help, not this file. -->",
        "",
        *_paragraphs(group),
        "",
        "What `--json` prints, and which of it is stable, is told on [a page of its own](json.md).",
        "",
        "## Exit codes",
        "",
        "| Code | Meaning |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()),
    ]
    for path, command in _commands(group):
        lines += ["", f"## {path}", "", "```", _usage(path, command), "```", "", *_paragraphs(command)]
        if options := list(_options(command)):
            lines += ["", "| Option | Meaning |", "|---|---|"]
            lines += [f"| `{names.replace('|', chr(92) + '|')}` | {meaning} |" for names, meaning in options]
        lines += ["", "```", *_examples(command), "```"]
    return "\n".join(lines) + "\n"


def man_page() -> str:
    """The text of ``docs/man/gavo-exec.1``."""
    lines = [
        '.\\" Derived from the commands; change their help, not this file.',
        f'.TH GAVO-EXEC 1 "" "gavo-exec {__version__}" "User commands"',
        ".SH NAME",
        f"gavo-exec \\- {_ABOUT}",
        ".SH SYNOPSIS",
        ".B gavo-exec",
        "COMMAND [OPTIONS] [ARGUMENTS]",
        ".SH DESCRIPTION",
        *_roff_paragraphs(group),
        ".SH COMMANDS",
    ]
    for path, command in _commands(group):
        lines += [f".SS {_roff(_usage(path, command))}", *_roff_paragraphs(command)]
        for names, meaning in _options(command):
            lines += [".TP", f"\\fB{_roff(names)}\\fR", _roff(meaning)]
        lines += [".PP", ".nf", ".RS", *(_roff(line) for line in _examples(command)), ".RE", ".fi"]
    lines.append(".SH EXIT STATUS")
    for code, meaning in MEANINGS.items():
        lines += [".TP", f".B {code}", _roff(meaning)]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """The text of ``docs/man/gavo-exec.toml.5``."""
    lines = [
        '.\\" Derived from gavo_exec/settings/table.py; change it there, not this file.',
        f'.TH GAVO-EXEC.TOML 5 "" "gavo-exec {__version__}" "File formats"',
        ".SH NAME",
        "gavo-exec.toml, settings.toml \\- settings of gavo-exec",
        ".SH DESCRIPTION",
        _roff(
            "A TOML file: the one named by --settings or $GAVO_EXEC_SETTINGS, else the first of ./gavo-exec.toml, "
            "$XDG_CONFIG_HOME/gavo-exec/settings.toml and /etc/gavo-exec/settings.toml. Paths are relative to its "
            "folder. Flags win over variables of the environment, which win over the file."
        ),
        ".SH SETTINGS",
    ]
    for setting in SETTINGS:
        default = f" Default: {setting.default}." if setting.default else ""
        text = f"{setting.description}{default} Variable: {setting.variable}."
        expects = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", setting.expects)
        lines += [".TP", f"\\fB{_roff(setting.name)}\\fR ({_roff(expects)})", _roff(text.replace("`", ""))]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR gavo-exec (1)"]) + "\n"


def _commands(parent: click.Group, path: str = "gavo-exec") -> Iterator[tuple[str, click.Command]]:
    """All commands with the words that call them, those of groups after their groups."""
    context = click.Context(parent)
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None  # noqa: S101 -- it was listed
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _usage(path: str, command: click.Command) -> str:
    """``gavo-exec check [OPTIONS] [PATH]...``."""
    return " ".join([path, *command.collect_usage_pieces(click.Context(command))])


def _paragraphs(command: click.Command) -> Iterator[str]:
    """The command's description, its paragraphs parted by empty lines."""
    yield from inspect.cleandoc(command.help or "").splitlines()


def _options(command: click.Command) -> Iterator[tuple[str, str]]:
    """The command's options as they are written, and what they mean."""
    context = click.Context(command)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None:
            names, meaning = record
            yield names, " ".join(meaning.split())


def _examples(command: click.Command) -> list[str]:
    """The command's example lines."""
    return re.findall(r"^\s*(gavo-exec .*)$", command.epilog or "", flags=re.MULTILINE)


def _roff_paragraphs(command: click.Command) -> Iterator[str]:
    """The command's description for the manual page."""
    for paragraph in "\n".join(_paragraphs(command)).split("\n\n"):
        yield ".PP"
        yield _roff(" ".join(paragraph.split()))


def _roff(text: str) -> str:
    """The text so that troff prints it as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
