"""A tree to a ResourceDescriptor: the executes with all they depend on, everything else passed over."""

import os.path
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from types import MappingProxyType

import msgspec
from lxml.etree import _Element

from gavo_exec.descriptor.activetags import Expander
from gavo_exec.descriptor.check import (
    NULL,
    Checked,
    Value,
    attributes_of,
    boolean,
    check,
    element_name,
    local_name,
    string,
)
from gavo_exec.descriptor.metadata import collect_meta
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.policies import Given, Policies, is_portable
from gavo_exec.descriptor.procs import Procedures
from gavo_exec.descriptor.references import Library, refuse_root
from gavo_exec.descriptor.replays import RunItems
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope
from gavo_exec.descriptor.source import Source
from gavo_exec.elements import ACTIVE_TAGS, EXECUTE, MACDEF, META, PROPERTY, REPLAYS, RESOURCE
from gavo_exec.errors import DescriptorError, Position
from gavo_exec.model import Execute, Job, ResourceDescriptor, Site
from gavo_exec.schedule import At, AtTime, Loaded, Schedule, ScheduleSyntaxError, parse_at, parse_every


def _filters(*names: str) -> tuple[str, ...]:
    """What makes lxml find these elements of the resource, under all their names and with any prefix."""
    return tuple(f"{{*}}{each}" for name in names for each in RESOURCE.by_name[name].names)


_ATOMS = _filters(*(attribute.name for attribute in RESOURCE.attributes))
_META = _filters("meta")
_IN_ORDER = _filters("macDef", "property", "execute")
_IN_ORDER_ACTIVE = (*_IN_ORDER, *(f"{{*}}{name}" for name in REPLAYS))
_EXECUTES = _filters("execute")
_MAKERS = frozenset({*ACTIVE_TAGS, *RESOURCE.by_name["execute"].names})
_ANY_DAY = date(2000, 1, 1)
"""From when on schedules are looked at where no date is given."""
_SCHEMA = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class _Draft:
    """An execute on its way; ``schedule`` and ``job`` are None where they are faulty."""

    def __init__(self, checked: Checked) -> None:
        self.node = checked.node
        self.checked = checked
        self.title: Value | None = None
        self.id: Value | None = None
        self.key = ""
        self.schedule: Schedule | None = None
        self.job: Job | None = None
        self.debug = False
        self.properties: dict[str, str | None] = {}
        self.portable: dict[str, Given] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What RDs are read by beside their text; ``today`` is the date that macros give.

    ``defaults`` are portable properties for all executes, none of them faulty.  ``look`` is called with each other file
    that is opened.
    """

    inputs_dir: str
    today: date | None = None
    site: Site = Site()
    run_items: RunItems | None = None
    thorough: bool = False
    defaults: Mapping[str, str] = MappingProxyType({})
    look: Callable[[str, int], None] | None = None


def build_rd(source: Source, context: Context) -> ResourceDescriptor:
    """What the RD declares; raises DescriptorError with every fault."""
    if local_name(source.root) != RESOURCE.name:
        refuse_root(source)
    builder = _Builder(source, context, Report(source))
    library = builder.library
    try:
        return builder.build()
    except DescriptorError as error:
        raise DescriptorError(error.diagnostics, sources=library.sources, absent=tuple(library.absent)) from None
    finally:
        builder.let_go()


class _Builder:
    """One RD in the making."""

    def __init__(self, source: Source, context: Context, report: Report) -> None:
        self.source = source
        self.context = context
        self.report = report
        self.library = Library(
            source,
            inputs_dir=context.inputs_dir,
            site=context.site,
            provenance=report.provenance,
            look=context.look,
        )
        # Times that say UTC are easily mended, but not where others may be meant.
        self.is_in_utc = "when.zone" not in source.text and "when.zone" not in context.defaults
        self.frame = check(source.root, RESOURCE, report, children=source.root.iterchildren(*_ATOMS))
        self.schema, self.resdir = _read_frame(self.frame, source, inputs_dir=context.inputs_dir, report=report)
        self.properties: dict[str, str | None] = {}
        self.policies = Policies(context.defaults, resdir=self.resdir, today=context.today or _ANY_DAY, report=report)
        self.drafts: list[_Draft] = []
        self.scope = self._make_scope(source, self.schema, self.resdir)
        self._scopes = {source: self.scope}
        self.expander = Expander(
            library=self.library, report=report, scope_of=self._scope_of, run_items=context.run_items
        )
        self.procedures = Procedures(
            library=self.library, report=report, scope=self.scope, carried_out=self.expander.carried_out
        )

    def let_go(self) -> None:
        """Undo the circles of who knows whom, so that trees go at once and need not wait for the collector."""
        self.library.make_all = _make_nothing
        del self.expander, self.procedures

    def _make_scope(self, source: Source, schema: str | None, resdir: str) -> Scope:
        """The macros of an RD, its metadata read."""
        scope = Scope(
            rd_id=self.library.rd_id(source),
            schema=schema,
            resdir=resdir,
            inputs_dir=self.context.inputs_dir,
            today=self.context.today,
            site=self.context.site,
        )
        collect_meta(scope.meta, source.root.iterchildren(*_META), expand=scope.expand_leniently)
        return scope

    def _scope_of(self, source: Source) -> Scope:
        """The macros of another RD, as far as replays in it need them."""
        if source not in self._scopes:
            quiet = Report(source, quiet=True)
            frame = check(source.root, RESOURCE, quiet, children=source.root.iterchildren(*_ATOMS))
            schema, resdir = _read_frame(frame, source, inputs_dir=self.context.inputs_dir, report=quiet)
            self._scopes[source] = scope = self._make_scope(source, schema, resdir)
            for node in source.root.iterchildren(*_filters("macDef")):
                _define_macro(check(node, MACDEF, quiet), scope)
        return self._scopes[source]

    def build(self) -> ResourceDescriptor:
        """The RD; raises DescriptorError with every fault."""
        source, report = self.source, self.report
        quiet = Report(source, provenance=report.provenance, quiet=True)
        for node in source.root.iterchildren(*(_IN_ORDER_ACTIVE if source.has_active_tags else _IN_ORDER)):
            if not source.has_active_tags:
                self._take(node, quiet)
                continue
            for unit in self.expander.units(node):
                self._take(unit, quiet)
        rd_id = self.scope.rd_id
        _give_keys(self.drafts, rd_id, report)
        if self.drafts and "#" in rd_id:
            hint = "rename it: in the key of an execute the first # ends the RD's id"
            message = f"an RD with executes may not have a # in its path: {rd_id!r}"
            report.add("E109", message, Place(source.root), hint=hint)
        self._conclude_schedules()
        _look_for_lost_executes(source.root, report)
        if self.drafts and self.resdir != _folder_of(source):
            _look_for_resdir(self.resdir, self.frame, report)
        if self.context.thorough or not self.drafts:
            _look_for_misspelt_executes(source.root, report)
        if report.failed:
            raise DescriptorError(report.diagnostics)
        return ResourceDescriptor(
            rd_id=rd_id,
            path=source.path,
            inputs_dir=self.context.inputs_dir,
            resdir=self.resdir,
            schema=self.schema,
            executes=tuple(_finish(draft, self.policies, report) for draft in self.drafts),
            macros=self.scope.defined,
            meta=self.scope.meta,
            properties=self.properties,
            sources=self.library.sources,
            absent=tuple(self.library.absent),
            digest=self.library.digest(),
            warnings=report.diagnostics,
        )

    def _conclude_schedules(self) -> None:
        """Narrow the schedules as the portable properties say, now that all of these and all keys are known."""
        if not (self.context.defaults or self.policies.of_resource or any(draft.portable for draft in self.drafts)):
            return
        self.policies.look_for_idle((draft.portable, draft.schedule) for draft in self.drafts if draft.schedule)
        for draft in self.drafts:
            if draft.schedule is not None:
                place = next(value.place for name in EXECUTE.one_of for value in draft.checked.all(name))
                draft.schedule = self.policies.schedule_of(draft.portable, draft.schedule, key=draft.key, place=place)

    def _take(self, node: _Element, quiet: Report) -> None:
        """Take up a child of the resource, if it concerns executes."""
        name = element_name(node)
        if name == EXECUTE.name:
            self.drafts.append(self._read_execute(node))
        elif name == MACDEF.name:
            _define_macro(check(node, MACDEF, quiet), self.scope)
        elif name == PROPERTY.name:
            self._take_property(check(node, PROPERTY, quiet), quiet)
        elif name == META.name and not self.report.provenance.is_original(node):
            collect_meta(self.scope.meta, [node], expand=self.scope.expand_leniently)

    def _take_property(self, checked: Checked, quiet: Report) -> None:
        """Take up a property of the resource; what is wrong with it concerns executes where it is a portable one."""
        if not is_portable(checked):
            _add_property(self.properties, checked, self.scope, quiet)
        elif _add_property(self.properties, checked, self.scope, self.report):
            self.policies.take(self.policies.of_resource, checked, self.properties, self.scope)

    def _read_execute(self, node: _Element) -> _Draft:
        """An execute but for its key."""
        report = self.report
        checked = check(node, EXECUTE, report)
        draft = _Draft(checked)
        draft.title = checked.value("title")
        if draft.title is not None and (not draft.title.text.strip() or draft.title.text == NULL):
            hint = "lists and mails need something to call the job"
            report.add("E203", "the title of the execute is empty", draft.title.place, hint=hint)
            draft.title = None
        draft.id = checked.value("id")
        if draft.id is not None:
            if not draft.id.text.isprintable() or "#" in draft.id.text:
                message = f"not an id: {draft.id.text!r}"
                report.add("E303", message, draft.id.place, hint="an id may not have # or control characters in it")
            if not draft.id.text.strip() or draft.id.text == NULL:
                draft.id = None
        draft.schedule = _read_schedule(checked, report, is_in_utc=self.is_in_utc)
        draft.debug = boolean(checked.value("debug"), report)
        for child in checked.children.get("property", []):
            if _add_property(draft.properties, child, self.scope, report) and is_portable(child):
                self.policies.take(draft.portable, child, draft.properties, self.scope)
        if jobs := checked.children.get("job"):
            draft.job = self.procedures.read_job(jobs[-1])
        return draft


def _make_nothing(_source: Source) -> None:
    """Nothing more is to be made."""


def _read_frame(frame: Checked, source: Source, *, inputs_dir: str, report: Report) -> tuple[str | None, str]:
    """The resource's schema and its resdir."""
    schema = string(given := frame.value("schema"))
    if schema is None:
        misspelt = next((name for name in attributes_of(source.root) if name.lower() == "schema" != name), "")
        hint = f"did you mean schema where {misspelt} is written?" if misspelt else "DaCHS refuses RDs without one"
        report.add("W203", "the resource has no schema", Place(source.root), hint=hint)
    elif given is not None and not _SCHEMA.fullmatch(schema):
        hint = f"a schema is {RESOURCE.attributes[0].kind.value}"
        report.add("E303", f"not a name for a schema: {schema!r}", given.place, hint=hint)
    resdir = string(frame.value("resdir"))
    if resdir == "." or (resdir is None and schema is None):
        return schema, _folder_of(source)
    below = schema or "" if resdir is None else resdir
    return schema, os.path.normpath(below if below.startswith("/") else f"{inputs_dir}/{below}")


def _folder_of(source: Source) -> str:
    """The folder the RD is in."""
    return source.path.rpartition("/")[0]


def _look_for_resdir(resdir: str, frame: Checked, report: Report) -> None:
    """Warn where the resdir is no folder."""
    if not os.path.isdir(resdir):  # noqa: PTH112 -- a Path takes longer than the look
        value = frame.value("resdir") or frame.value("schema")
        place = value.place if value else Place(frame.node)
        report.add("W206", f"the resdir {resdir} is not a folder", place, hint="jobs look for their files there")


def _define_macro(checked: Checked, scope: Scope) -> None:
    """Take up a macDef; what is wrong with it shows where it is used."""
    name = checked.value("name")
    if name is not None:
        scope.define(name.text, checked.content)


def _add_property(properties: dict[str, str | None], checked: Checked, scope: Scope, report: Report) -> bool:
    """Take up a property; answers whether it has a name and a value."""
    name = checked.value("name")
    text = checked.content
    cumulate = boolean(checked.value("cumulate"), report)
    if name is None:
        return False
    if not text or text.isspace():
        hint = "remove the property, or write __NULL__ for None"
        report.add("E203", f"the property {name.text} has no value", Place(checked.node), hint=hint)
        return False
    value = None if text == NULL else scope.expand(text, Place(checked.node, Part.TEXT), report)
    if cumulate and value is not None:
        value = (properties.get(name.text) or "") + value
    elif name.text in properties:
        message = f"the property {name.text} is given twice; this one counts, not the one before"
        report.add("W201", message, name.place, hint='keep one of them, or write cumulate="True" to join them')
    properties[name.text] = value
    return True


def _read_schedule(checked: Checked, report: Report, *, is_in_utc: bool) -> Schedule | None:
    """When the execute is due; None where that is faulty.  Mends are proposed where times are surely in UTC."""
    times: list[AtTime] = []
    items: list[str] = []
    for value in checked.all("at"):
        try:
            schedule = parse_at(value.text)
        except ScheduleSyntaxError as fault:
            place = value.place.within(fault.start, fault.end)
            report.add("E301", str(fault), place, hint=fault.hint, fix=fault.fix if is_in_utc else None)
        else:
            times += schedule.times
            items += schedule.items
    if checked.value("on") is not None:
        return Loaded()
    every = checked.value("every")
    if every is None:
        return At(times=tuple(times), items=tuple(items)) if times else None
    try:
        return parse_every(every.text)
    except ScheduleSyntaxError as fault:
        place = every.place.within(fault.start, fault.end)
        report.add("E302", str(fault), place, hint=fault.hint, fix=fault.fix)
        return None


def _give_keys(drafts: Sequence[_Draft], rd_id: str, report: Report) -> None:
    """Give each execute its key: from its id, else from its title."""
    taken: dict[str, _Draft] = {}
    numbers: dict[str, int] = {}
    told: set[Position] = set()
    for draft in drafts:
        if draft.id is None:
            continue
        name = draft.id.text
        if name in taken:
            here, there = (report.position(Place(each.node)).line for each in (draft, taken[name]))
            message = f"the executes in lines {there} and {here} both have the id {name}"
            hint = "ids must differ within an RD"
            if here == there and not report.provenance.is_original(draft.node):
                hint = f"one tag makes both: put a macro into the id, as in {name}_\\item"
            report.add("E206", message, draft.id.place, hint=hint)
        else:
            taken[name] = draft
            draft.key = f"{rd_id}#{name}"
    for draft in drafts:
        if draft.id is not None or draft.title is None:
            continue
        slug = name = slug_of(draft.title.text)
        while name in taken:
            numbers[slug] = numbers.get(slug, 1) + 1
            name = f"{slug}-{numbers[slug]}"
        if name != slug and _is_new(draft, told, report):
            line = report.position(Place(taken[slug].node)).line
            message = f"the execute in line {line} has the key {slug}, too; this one goes by {name}"
            hint = "give both an id, so that they keep their histories"
            report.add("W202", message, draft.title.place, hint=hint)
        taken[name] = draft
        draft.key = f"{rd_id}#{name}"


def _is_new(draft: _Draft, told: set[Position], report: Report) -> bool:
    """Whether the draft comes from a place not told of before, as one tag may make hundreds; takes note of it."""
    if report.provenance.is_original(draft.node):
        return True
    position = report.position(Place(draft.node))
    is_new = position not in told
    told.add(position)
    return is_new


def slug_of(title: str) -> str:
    """What a title comes to in a key: small letters and digits of any script, with hyphens between."""
    return re.sub(r"[^\w.]+", "-", title.lower()).strip("-.") or "execute"


def _finish(draft: _Draft, policies: Policies, report: Report) -> Execute:
    """The execute that a draft without faults makes."""
    if draft.title is None or draft.schedule is None or draft.job is None:
        raise AssertionError("an execute is incomplete, and nothing was reported")
    return Execute(
        key=draft.key,
        id=draft.id.text if draft.id else None,
        title=draft.title.text,
        schedule=draft.schedule,
        job=draft.job,
        policy=policies.policy_of(draft.portable),
        properties=draft.properties,
        debug=draft.debug,
        position=report.tag_position(draft.node),
    )


def _look_for_lost_executes(root: _Element, report: Report) -> None:
    """Tell of executes that stand where they never run."""
    for node in root.iter(*_EXECUTES):
        if (parent := node.getparent()) is root or local_name(node) != EXECUTE.name:
            continue
        if _MAKERS.isdisjoint(map(local_name, node.iterancestors())) and parent is not None:
            message = f"an execute within {local_name(parent)} is never run"
            report.add("W204", message, Place(node), hint="move it up, directly into the resource")


def _look_for_misspelt_executes(root: _Element, report: Report) -> None:
    """Tell of elements that are passed over and were probably meant to be executes."""
    tags = {node.tag for node in root.iterchildren("*")}
    misspelt = [tag for tag in tags if _is_misspelt(tag)] if len(tags) < 200 else []
    for node in root.iterchildren(*misspelt) if misspelt else ():
        message = f"{local_name(node)} is passed over, like all elements that do not concern executes"
        report.add("W205", message, Place(node), hint="did you mean execute?")


@lru_cache(maxsize=1000)
def _is_misspelt(tag: str) -> bool:
    """Whether the name of an element was probably meant to be execute."""
    name = tag.rpartition("}")[2]
    if name in RESOURCE.by_name or not 5 <= len(name) <= 9:
        return False
    from difflib import SequenceMatcher  # only rarely needed

    return SequenceMatcher(None, name.lower(), EXECUTE.name).ratio() > 0.8
