"""``check`` and ``schema``: RDs as files."""

import click

from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean_block, counted, show_json
from gavo_exec.errors import Diagnostic, Severity
from gavo_exec.settings import Settings


@click.command("check", epilog=examples("gavo-exec check", "gavo-exec check inputs/weather/q.rd --json"))
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@settings_options("inputs_dir", "dachs_config", "code_items", required=())
@json_option
def check_command(*, paths: tuple[str, ...], settings: Settings, as_json: bool) -> int:
    """Check RDs, and say everything that is wrong with them.

    PATH is an RD or a directory of RDs; without any, all RDs of the resource directory are checked.  A PATH below the
    resource directory belongs to it; elsewhere a directory is taken for the resource directory of what is in it, and
    so is, for a single file, the directory above its own.  Of the root of a DaCHS site the site's RDs are meant.
    """
    from gavo_exec.cli.tree import Checking, with_inputs_dir

    checking = Checking(settings)
    files: dict[str, str] = {}
    for path in paths or [with_inputs_dir(settings).inputs_dir]:
        found_there, inputs_dir = checking.files(path)
        for file in found_there:
            files.setdefault(file, inputs_dir)
    found: list[Diagnostic] = []
    executes = 0
    for file, inputs_dir in files.items():
        count, diagnostics = checking.check(file, inputs_dir)
        executes += count
        found.extend(diagnostics)
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    if as_json:
        show_json([_fields(diagnostic) for diagnostic in found])
    else:
        for diagnostic in found:
            print(clean_block(diagnostic.render()))
        print(
            f"{counted(len(files), 'RD')}, {counted(executes, 'execute')}: "
            f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
        )
    return FAILED if errors else DONE


def _fields(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic for JSON, flat."""
    position = diagnostic.position
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "path": position.path,
        "line": position.line,
        "column": position.column,
        "via": [{"path": place.path, "line": place.line, "column": place.column} for place in position.via],
        "hint": diagnostic.hint,
    }


@click.command("schema", epilog=examples("gavo-exec schema > rd.rng"))
def schema_command() -> int:
    """Print the RELAX NG schema of RDs, for editors and validators."""
    from gavo_exec.descriptor.schema import relax_ng

    print(relax_ng().decode().rstrip())
    return DONE
