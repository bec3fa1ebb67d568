"""The formats in which ``check`` tells diagnostics: for people, for programs, for GitHub's pages, and SARIF."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from gavo_exec import __version__
from gavo_exec.cli.output import clean, clean_block, show_json
from gavo_exec.errors import CODES, Diagnostic, Position, Severity, plain
from gavo_exec.explanations import EXPLANATIONS

_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"E": "error", "W": "warning", "N": "note"}


def _show_text(found: Sequence[Diagnostic]) -> None:
    """For people and editors."""
    for diagnostic in found:
        print(clean_block(diagnostic.render()))


def _show_fields(found: Sequence[Diagnostic]) -> None:
    """A JSON list of flat diagnostics."""
    show_json([_fields(diagnostic) for diagnostic in found])


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


def _with_hint(diagnostic: Diagnostic) -> str:
    """Message and hint on one line."""
    message = plain(diagnostic.message)
    return f"{message} ({plain(diagnostic.hint)})" if diagnostic.hint else message


def _show_github(found: Sequence[Diagnostic]) -> None:
    """Workflow commands, which GitHub shows beside the lines."""
    for diagnostic in found:
        position = diagnostic.position
        words = {
            "file": plain(_relative(position.path)),
            "line": str(position.line),
            "col": str(position.column),
            "endColumn": str(position.column + diagnostic.length) if diagnostic.length else "",
            "title": diagnostic.code,
        }
        properties = ",".join(f"{name}={_escaped(text, ':,')}" for name, text in words.items() if text)
        print(f"::{_GITHUB[diagnostic.severity]} {properties}::{_escaped(clean(_with_hint(diagnostic)))}")


def _escaped(text: str, more: str = "") -> str:
    """The text as workflow commands want it: these characters would end it."""
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _relative(path: str) -> str:
    """The path from the working directory on, if it is below that."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _show_sarif(found: Sequence[Diagnostic]) -> None:
    """SARIF 2.1.0, the format of static analysers."""
    numbers = {code: number for number, code in enumerate(CODES)}
    tool = {"name": "gavo-exec", "version": __version__, "rules": [_rule(code) for code in CODES]}
    run = {
        "tool": {"driver": tool},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, numbers) for diagnostic in found],
    }
    show_json({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, object]:
    """What a code means."""
    page = EXPLANATIONS[code]
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "fullDescription": {"text": page.why},
        "help": {"text": explanation(code), "markdown": explanation(code, block="```")},
        "defaultConfiguration": {"level": _LEVELS[code[0]]},
    }


def _result(diagnostic: Diagnostic, numbers: Mapping[str, int]) -> dict[str, object]:
    """A diagnostic."""
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {"text": _with_hint(diagnostic)},
        "locations": [_location(diagnostic.position, diagnostic)],
    }
    if diagnostic.code in numbers:
        result["ruleIndex"] = numbers[diagnostic.code]
    if diagnostic.position.via:
        result["relatedLocations"] = [_location(place) for place in diagnostic.position.via]
    if diagnostic.fix is not None and diagnostic.length:
        replacement = {
            "deletedRegion": _region(diagnostic.position, diagnostic.length),
            "insertedContent": {"text": diagnostic.fix},
        }
        change = {"artifactLocation": _artifact(diagnostic.position), "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": f"write {diagnostic.fix}"}, "artifactChanges": [change]}]
    return result


def _location(position: Position, diagnostic: Diagnostic | None = None) -> dict[str, object]:
    """A place, and the text there if it is known."""
    region = _region(position, diagnostic.length if diagnostic else 0)
    if diagnostic is not None and diagnostic.excerpt:
        region["snippet"] = {"text": diagnostic.excerpt}
    return {"physicalLocation": {"artifactLocation": _artifact(position), "region": region}}


def _region(position: Position, length: int) -> dict[str, object]:
    """A stretch of a line; without a length, from there on."""
    region: dict[str, object] = {"startLine": position.line, "startColumn": position.column}
    if length:
        region |= {"endLine": position.line, "endColumn": position.column + length}
    return region


def _artifact(position: Position) -> dict[str, object]:
    """The file, by a URI that is relative where it can be."""
    path = _relative(position.path)
    uri = quote(os.fsencode(path))
    return {"uri": f"file://{uri}" if path.startswith("/") else uri}


FORMATS: Mapping[str, Callable[[Sequence[Diagnostic]], None]] = {
    "text": _show_text,
    "json": _show_fields,
    "github": _show_github,
    "sarif": _show_sarif,
}
"""What prints diagnostics, by the format's name."""

WITH_SUMMARY = frozenset({"text", "github"})
"""The formats in which a line for people can follow."""


def explanation(code: str, *, block: str = "") -> str:
    """The page about a code; ``block`` is what begins and ends examples, which else are indented."""
    page = EXPLANATIONS[code]

    def example(lines: Iterable[str]) -> str:
        return "\n".join([block, *lines, block]) if block else "\n".join(f"    {line}" for line in lines)

    parts = (f"{code}: {CODES[code]}", page.why, "Wrong:", example(page.wrong.splitlines()))
    return "\n\n".join([*parts, "Instead:", example(page.mend.splitlines())])
