"""The macros that an RD's code and properties can use."""

from datetime import date
from typing import NamedTuple

from gavo_exec.descriptor.check import local_name, own_text
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.report import Report
from gavo_exec.macros import Macro, MacroError, MacroFault, expand
from gavo_exec.model import Site
from gavo_exec.rdmacros import rd_macros

_NO_SITE = Site()


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
        self.meta: dict[str, tuple[str, ...]] = {}  # grows while the RD is read
        self.defined: dict[str, str] = {}
        self.macros = rd_macros(
            rd_id=rd_id, schema=schema, resdir=resdir, inputs_dir=inputs_dir, meta=self.meta, today=today, site=site
        )

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
