"""The macros that an RD's code and properties can use."""

import os.path
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from gavo_exec.descriptor.check import local_name, own_text
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.report import Report
from gavo_exec.macros import STANDARD, Macro, MacroError, MacroFault, expand
from gavo_exec.model import Site

_NO_SITE = Site()
_LICENSES = {
    "RSTccby": ("Creative Commons Attribution 3.0", "https://creativecommons.org/licenses/by/3.0/"),
    "RSTccbysa": ("Creative Commons Attribution-ShareAlike 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    "RSTcc0": ("Creative Commons Zero 1.0 Universal", "https://creativecommons.org/publicdomain/zero/1.0/"),
}
"""What the macros for licences name and link to."""


class Scope:
    """The macros known at a point of an RD: the built-in ones, and those its macDefs have defined so far."""

    def __init__(
        self,
        *,
        rd_id: str,
        schema: str | None,
        resdir: str,
        inputs_dir: str,
        today: date | None = None,
        site: Site = _NO_SITE,
    ) -> None:
        self.rd_id = rd_id
        self._site = site
        self.defined: dict[str, str] = {}
        self.macros: dict[str, Macro] = {
            **STANDARD,
            **_site_macros(site),
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
        """Add the macros that look up metadata, which may grow later."""

        def string(key: str, *default: str) -> str:
            values = meta.get(key) or self._site.meta.get(key) or default
            if len(values) != 1:
                problem = "there is no such metadata" if not values else "there are several values"
                raise MacroError(f"cannot give {key}: {problem}")
            return values[0].replace("\n", " ")

        def sequence(key: str, default: str = "", joiner: str = ", ") -> str:
            values = meta.get(key) or self._site.meta.get(key)
            return joiner.join(values) if values else default

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


class Stage(NamedTuple):
    """Which expansion a macro call failed in: that of a replay by this ``tag``, or ('') that by the RD.

    ``is_expanded_later`` tells that what comes of it is expanded once more.
    """

    tag: str = ""
    is_expanded_later: bool = False


BY_THE_RD = Stage()


def report_macro_fault(fault: MacroFault, place: Place, report: Report, stage: Stage = BY_THE_RD) -> None:
    """Report a macro call that has no value."""
    if fault.unknown:
        hint, fix = _mend(fault, place, report, stage)
        report.add("E501", fault.message, place, hint=hint, fix=fix)
    else:
        report.add("E502", fault.message, place, hint=fault.hint)


def _mend(fault: MacroFault, place: Place, report: Report, stage: Stage) -> tuple[str, str | None]:
    """The mend for a call of an unknown macro: the hint, and what to write instead where there is no doubt."""
    name, doubled = fault.unknown, f"\\\\{fault.unknown}"
    for node in report.root.iterchildren("{*}macDef"):
        if node.get("name") == name:
            return f"its macDef in line {report.position(Place(node)).line} comes too late; move it up", None
    trace = report.provenance.trace(place)
    if not _text_of(trace.place).lstrip("\\").startswith(name):
        return (
            'it is in a value for a macro, which is not expanded; within a LOOP, passivate="True" on events helps',
            None,
        )
    hint = fault.hint
    is_replayed = any(local_name(tag) != "LFEED" for tag in trace.tags)
    if stage.is_expanded_later or is_replayed:
        # Where this is the second expansion, only one of two backslashes may be left here.
        hint = hint.replace(f"double it: {doubled}", f"write four here, as this is expanded twice: \\\\{doubled}")
    if stage.tag:
        return f'give the {stage.tag} a value for it, {name}="..."; {hint}', None
    is_accident = hint.startswith("for a plain backslash") and not is_replayed
    return hint, doubled if is_accident else None


def _text_of(place: Place) -> str:
    """The text from the place on."""
    text = own_text(place.node) if place.part is Part.TEXT else place.node.get(place.attribute, "")
    return text[place.start :]


@lru_cache(maxsize=8)
def _site_macros(site: Site) -> Mapping[str, Macro]:
    """The macros that depend on the data centre."""

    def config(section: str, item: str) -> str:
        value = site.get(section, item)
        if value is None:
            known = (
                "no gavo.rc was found" if not site.config else f"{site.files[0] if site.files else 'gavo.rc'} has none"
            )
            raise MacroError(f"has no value for [{section}] {item}: {known}")
        return value

    def get_config(*names: str) -> str:
        return config("general", names[0]) if len(names) == 1 else config(names[0], names[1])

    def site_path(path: str) -> str:
        parts = ((site.get("web", "nevowRoot") or "").strip("/"), path.lstrip("/"))
        return "/" + "/".join(part for part in parts if part)

    def link(path: str) -> str:
        return config("web", "serverURL").rstrip("/") + site_path(path)

    def rst_link(path: str, title: str) -> str:
        return f"`{title} <{site_path(path)}>`_"

    def license_statement(name: str) -> Callable[[str], str]:
        title, url = _LICENSES[name]
        return lambda what: f"{what} is licensed under the `{title} License <{url}>`_."

    def standard_pubdid(column: str = "accref") -> str:
        return f"'ivo://{config('ivoa', 'authority')}/~?' || gavo_urlescape({column})"

    return {
        "getConfig": Macro(function=get_config, least=1, most=2),
        "internallink": Macro(function=link, least=1, most=1),
        "sql_standardPubDID": Macro(function=standard_pubdid, most=1),
        "RSTservicelink": Macro(function=lambda path, title="": rst_link(path, title or path), least=1, most=2),
        "RSTtable": Macro(function=lambda name: rst_link(f"tableinfo/{name}", name), least=1, most=1),
        **{name: Macro(function=license_statement(name), least=1, most=1) for name in _LICENSES},
    }


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
