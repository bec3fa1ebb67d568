"""``check``: everything that is wrong with RDs."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from textwrap import fill
from typing import NamedTuple

import click

from gavo_exec.catalog import Catalog
from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.formats import FORMATS, WITH_SUMMARY, explanation
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean, clean_block, counted, show_json
from gavo_exec.errors import CODES, DescriptorError, Diagnostic, Severity
from gavo_exec.model import ResourceDescriptor, Site
from gavo_exec.settings import Settings

Checked = Callable[..., tuple[ResourceDescriptor | None, tuple[Diagnostic, ...]]]
"""``Checking.check``: an RD, None where it is refused, and all that the reader says about it."""


@click.command(
    "check",
    epilog=examples(
        "gavo-exec check",
        "gavo-exec check inputs/weather/q.rd --json",
        "gavo-exec check --strict --format github",
        "gavo-exec check --fix --diff",
        "gavo-exec check --explain W604",
        "gavo-exec check --dachs",
    ),
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@settings_options("inputs_dir", "dachs_config", "code_items", "trust", required=())
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(tuple(FORMATS)),
    help="How to tell it: text (the default), json, github (annotations of its workflows), or sarif.",
)
@json_option
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@click.option("--fix", is_flag=True, help="Write mends that are mechanical into the files, and show them as a diff.")
@click.option("--diff", is_flag=True, help="Only show what --fix would write.")
@click.option("--dachs", is_flag=True, help="Tell what would be otherwise here than in DaCHS, and end.")
@click.option("--explain", metavar="CODE", help="Print what a code means, with an example and its mend, and end.")
def check_command(
    *,
    paths: tuple[str, ...],
    settings: Settings,
    form: str | None,
    as_json: bool,
    strict: bool,
    fix: bool,
    diff: bool,
    dachs: bool,
    explain: str | None,
) -> int:
    """Check RDs, and say everything that is wrong with them.

    PATH is an RD or a directory of RDs; without any, all RDs of the resource directory are checked.  A PATH below the
    resource directory belongs to it; elsewhere a directory is taken for the resource directory of what is in it, and
    so is, for a single file, the directory above its own.  Of the root of a DaCHS site the site's RDs are meant.

    The code of RDs that read well is searched for classic mistakes: warnings with codes W6xx.  A comment at the end of
    a line, such as # noqa: W604, keeps that code quiet about the line.

    With --fix no file is written that would read worse than before.

    With --dachs the RDs are not checked: what is told is what comes out otherwise here than where DaCHS runs them, why
    that is better, or what to change.
    """
    if explain is not None:
        return _explain(explain)
    from gavo_exec.cli.tree import Checking, with_inputs_dir

    form = _form(form, as_json=as_json)
    checking = Checking(settings)
    if dachs:
        if fix or diff or strict or form not in ("text", "json"):
            raise click.UsageError("--dachs goes with --json and PATHs only")
        catalog, site = checking.sites(paths or [with_inputs_dir(settings).inputs_dir])
        return _compare(catalog, site, as_json=form == "json")
    files = _files(paths or [with_inputs_dir(settings).inputs_dir], checking.files)
    checks = {file: _look_at(checking.check, file, inputs_dir) for file, inputs_dir in files.items()}
    if fix or diff:
        said = sys.stdout if form == "text" else sys.stderr
        is_written = mend_files(
            files, checks, checked=checking.check, write=fix and not diff, tell=lambda text: print(text, file=said)
        )
        if is_written:
            checks = {file: _look_at(checking.check, file, inputs_dir) for file, inputs_dir in files.items()}
    found = list(dict.fromkeys(diagnostic for check in checks.values() for diagnostic in check.diagnostics))
    FORMATS[form](found)
    numbers = {severity: sum(each.severity is severity for each in found) for severity in Severity}
    if form in WITH_SUMMARY:
        executes = sum(check.executes for check in checks.values())
        print(f"{counted(len(files), 'RD')}, {counted(executes, 'execute')}: {_summary(numbers)}")
    bad = numbers[Severity.ERROR] + (numbers[Severity.WARNING] if strict else 0)
    return FAILED if bad else DONE


def _compare(catalog: Catalog, site: Site, *, as_json: bool) -> int:
    """Print the report for those who move from DaCHS."""
    from gavo_exec.cli.migration import report

    found = report(catalog, site)
    if as_json:
        show_json(found.view())
    else:
        for line in found.lines():
            print(clean_block(line))
    return DONE


def _form(form: str | None, *, as_json: bool) -> str:
    """The format that is asked for."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"give --json or --format {form}, not both")
    return "json" if as_json else form or "text"


def _summary(numbers: Mapping[Severity, int]) -> str:
    """How many there are of each severity; notes only where there are any."""
    shown = (severity for severity in Severity if severity is not Severity.NOTE or numbers[severity])
    return ", ".join(counted(numbers[severity], severity.value) for severity in shown)


def _explain(code: str) -> int:
    """Print the page about a code."""
    from gavo_exec.cli.keys import UnknownError, meant

    known = code.upper()
    if known not in CODES:
        raise UnknownError(f"there is no code {clean(code)!r}{meant(known, CODES)}")
    paragraphs = explanation(known).split("\n\n")
    print("\n\n".join(text if text.startswith("    ") else fill(text, 88) for text in paragraphs))
    return DONE


def _files(paths: Iterable[str], find: Callable[[str], tuple[list[str], str]]) -> dict[str, str]:
    """The RDs to be checked, each with the resource directory that it belongs to."""
    files: dict[str, str] = {}
    for path in paths:
        found, inputs_dir = find(path)
        for file in found:
            files.setdefault(file, inputs_dir)
    return files


class Check(NamedTuple):
    """What a file came to."""

    executes: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> int:
        """How many faults there are."""
        return sum(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)

    def is_worse_than(self, before: "Check") -> bool:
        """Whether there are more faults, or one of the file as such, which hides all others."""
        hiding = {found.code for found in self.diagnostics if found.code.startswith("E1")}
        return self.errors > before.errors or not hiding <= {found.code for found in before.diagnostics}


def _look_at(checked: Checked, path: str, inputs_dir: str, *, data: bytes | None = None) -> Check:
    """Read a file, or what would be in it, and its job code where it reads well."""
    from gavo_exec.cli.fixes import lines_of
    from gavo_exec.cli.tree import has_dachs, names_in_scope
    from gavo_exec.lint import lint

    rd, diagnostics = checked(path, inputs_dir, data=data)
    if rd is None:
        return Check(0, diagnostics)

    @cache
    def lines(place: str) -> Sequence[str]:
        content = data if place == path and data is not None else _content(place)
        return lines_of(place, content) if content is not None else ()

    mistakes = lint(rd, names=names_in_scope(rd), has_dachs=has_dachs(), lines=lines)
    return Check(len(rd.executes), _in_order(path, (*diagnostics, *mistakes)))


def _in_order(path: str, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics in document order, those in other files last."""
    return tuple(
        sorted(
            found,
            key=lambda each: (
                each.position.path != path,
                each.position.path,
                each.position.line,
                each.position.column,
            ),
        )
    )


def _content(path: str) -> bytes | None:
    """The bytes of a file; None where it cannot be read, which the reader tells."""
    from gavo_exec.descriptor.source import read_bytes

    try:
        return read_bytes(path)
    except DescriptorError:
        return None


def mend_files(
    files: Mapping[str, str],
    checks: Mapping[str, Check],
    *,
    checked: Checked,
    write: bool,
    tell: Callable[[str], None],
) -> list[str]:
    """Show what is mended in which file, and write it if wanted; answers the files that were written."""
    from gavo_exec.cli.fixes import difference, mended, replace

    found = [diagnostic for check in checks.values() for diagnostic in check.diagnostics if diagnostic.fix is not None]
    written: list[str] = []
    mends = touched = 0
    for path in sorted({diagnostic.position.path for diagnostic in found} & files.keys()):
        before = _content(path)
        if before is None:
            continue
        after, count = mended(path, before, found)
        if not count:
            continue
        if _look_at(checked, path, files[path], data=after).is_worse_than(checks[path]):
            print(f"gavo-exec: {clean(path)}: left alone, as with its mends it reads worse", file=sys.stderr)
            continue
        tell(clean_block(difference(path, before, after)).rstrip("\n"))
        mends += count
        touched += 1
        if write:
            replace(path, after)
            written.append(path)
    tell(f"{counted(mends, 'mend')} in {counted(touched, 'file')}{'' if write or not mends else ', not written'}")
    return written
