"""The macros that an RD's code and properties can use."""

import os.path
from collections.abc import Mapping
from datetime import date

from gavo_exec.descriptor.places import Place
from gavo_exec.descriptor.report import Report
from gavo_exec.macros import STANDARD, Macro, MacroError, MacroFault, expand

_NOT_YET = frozenset(
    {
        "getConfig",
        "internallink",
        "sql_standardPubDID",
        "RSTservicelink",
        "RSTtable",
        "RSTccby",
        "RSTccbysa",
        "RSTcc0",
    }
)
"""DaCHS's macros that need to know about the server, which the reader does not yet."""


class Scope:
    """The macros known at a point of an RD: the built-in ones, and those its macDefs have defined so far."""

    def __init__(
        self, *, rd_id: str, schema: str | None, resdir: str, inputs_dir: str, today: date | None = None
    ) -> None:
        self.defined: dict[str, str] = {}
        self.macros: dict[str, Macro] = {
            **STANDARD,
            "rdId": Macro(function=lambda: rd_id),
            "rdIdDotted": Macro(function=lambda: rd_id.replace("/", ".")),
            "schema": Macro(function=lambda: _or_fail(schema, "has no value, for the resource has no schema")),
            "resdir": Macro(function=lambda: _relative(resdir, inputs_dir)),
            "today": Macro(
                function=lambda: _or_fail(today.isoformat() if today else None, "has no value here: no date is given")
            ),
        }

    def define(self, name: str, text: str) -> None:
        """Add the macro of a macDef, its value expanded; a fault in it only matters where it is used."""
        expansion = expand(text, self.macros)
        if expansion.faults:
            message = f"cannot be used: its definition has a fault: {expansion.faults[0].message}"

            def fail() -> str:
                raise MacroError(message)

            self.defined.pop(name, None)
            self.macros[name] = Macro(function=fail)
        else:
            self.defined[name] = expansion.text
            self.macros[name] = Macro(function=lambda: expansion.text)

    def use_meta(self, meta: Mapping[str, tuple[str, ...]]) -> None:
        """Add the macros that look up metadata."""

        def string(key: str, *default: str) -> str:
            values = meta.get(key, default)
            if len(values) != 1:
                problem = "there is no such metadata" if not values else "there are several values"
                raise MacroError(f"cannot give {key}: {problem}")
            return values[0].replace("\n", " ")

        def sequence(key: str, default: str = "", joiner: str = ", ") -> str:
            return joiner.join(meta[key]) if key in meta else default

        self.macros["metaString"] = Macro(function=string, least=1, most=2)
        self.macros["metaSeq"] = Macro(function=sequence, least=1, most=3)

    def expand(self, text: str, place: Place, report: Report) -> str:
        """The text with macros expanded; faults are reported."""
        expansion = expand(text, self.macros)
        for fault in expansion.faults:
            report_macro_fault(fault, place.within(fault.start, fault.end), report)
        return expansion.text

    def expand_leniently(self, text: str) -> str:
        """The text with those macros expanded that can be."""
        return expand(text, self.macros).text


def report_macro_fault(fault: MacroFault, place: Place, report: Report) -> None:
    """Report a macro call that has no value."""
    if fault.unknown in _NOT_YET:
        report.add("E208", f"not supported yet in this version: the macro \\{fault.unknown}", place)
        return
    hint = fault.hint
    for node in place.node.getroottree().getroot().iterchildren("{*}macDef") if fault.unknown else ():
        if node.get("name") == fault.unknown:
            hint = f"its macDef in line {report.locator.line(Place(node))} comes too late; move it up"
    report.add("E501" if fault.unknown else "E502", fault.message, place, hint=hint)


def _or_fail(value: str | None, problem: str) -> str:
    """The value; raises MacroError where there is none."""
    if value is None:
        raise MacroError(problem)
    return value


def _relative(resdir: str, inputs_dir: str) -> str:
    """The resdir relative to the resource directory; raises MacroError where it is outside."""
    relative = os.path.relpath(resdir, inputs_dir)
    if relative == ".." or relative.startswith("../"):
        raise MacroError(f"has no value, for {resdir} is outside of the resource directory")
    return relative
