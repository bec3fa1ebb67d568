"""A tree to a ResourceDescriptor: the executes with all they depend on, everything else passed over."""

import os.path
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from lxml.etree import _Element

from gavo_exec.descriptor.check import NULL, Checked, Value, attributes_of, boolean, check, local_name, string
from gavo_exec.descriptor.jobsource import read_code
from gavo_exec.descriptor.metadata import collect_meta
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope
from gavo_exec.descriptor.source import Source
from gavo_exec.elements import ACTIVE_TAGS, EXECUTE, MACDEF, PROPERTY, RESOURCE
from gavo_exec.errors import DescriptorError
from gavo_exec.model import Execute, Job, ResourceDescriptor, rd_id_for
from gavo_exec.schedule import At, AtTime, Schedule, ScheduleSyntaxError, parse_at, parse_every


def _filters(*names: str) -> tuple[str, ...]:
    """What makes lxml find these elements of the resource, under all their names and with any prefix."""
    return tuple(f"{{*}}{each}" for name in names for each in RESOURCE.by_name[name].names)


_ATOMS = _filters(*(attribute.name for attribute in RESOURCE.attributes))
_META = _filters("meta")
_IN_ORDER = _filters("macDef", "property", "execute")
_EXECUTES = _filters("execute")
_EXECUTE_NAMES = frozenset(RESOURCE.by_name["execute"].names)
_SCHEMA = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class _Draft:
    """An execute on its way; ``schedule`` and ``job`` are None where they are faulty."""

    def __init__(self, node: _Element) -> None:
        self.node = node
        self.title: Value | None = None
        self.id: Value | None = None
        self.key = ""
        self.schedule: Schedule | None = None
        self.job: Job | None = None
        self.debug = False
        self.properties: dict[str, str | None] = {}


def build_rd(
    source: Source, *, inputs_dir: str, today: date | None = None, thorough: bool = False
) -> ResourceDescriptor:
    """What the RD declares; raises DescriptorError with every fault."""
    report = Report(source)
    root = source.root
    if local_name(root) != RESOURCE.name:
        report.add("E108", f"the root element is {local_name(root)}, not resource", Place(root))
        raise DescriptorError(report.diagnostics)
    rd_id = rd_id_for(source.path, inputs_dir)
    frame = check(root, RESOURCE, report, children=root.iterchildren(*_ATOMS))
    schema, resdir = _read_frame(frame, source, inputs_dir=inputs_dir, report=report)
    scope = Scope(rd_id=rd_id, schema=schema, resdir=resdir, inputs_dir=inputs_dir, today=today)
    meta = collect_meta(root.iterchildren(*_META), expand=scope.expand_leniently)
    scope.use_meta(meta)
    quiet = Report(source, quiet=True)
    properties: dict[str, str | None] = {}
    drafts: list[_Draft] = []
    for node in root.iterchildren(*_IN_ORDER):
        name = RESOURCE.by_name[local_name(node)].name
        if name == EXECUTE.name:
            drafts.append(_read_execute(node, scope=scope, report=report, plain=source.plain))
        elif name == MACDEF.name:
            _define_macro(check(node, MACDEF, quiet), scope)
        else:
            _add_property(properties, check(node, PROPERTY, quiet), scope, quiet)
    _give_keys(drafts, rd_id, report)
    if drafts and "#" in rd_id:
        hint = "rename it: in the key of an execute the first # ends the RD's id"
        report.add("E109", f"an RD with executes may not have a # in its path: {rd_id!r}", Place(root), hint=hint)
    _look_for_lost_executes(root, report)
    if drafts and resdir != _folder_of(source):
        _look_for_resdir(resdir, frame, report)
    if thorough or not drafts:
        _look_for_misspelt_executes(root, report)
    if report.failed:
        raise DescriptorError(report.diagnostics)
    return ResourceDescriptor(
        rd_id=rd_id,
        path=source.path,
        inputs_dir=inputs_dir,
        resdir=resdir,
        schema=schema,
        executes=tuple(_finish(draft, report) for draft in drafts),
        macros=scope.defined,
        meta=meta,
        properties=properties,
        sources=(source.path,),
        digest=source.digest,
        warnings=report.diagnostics,
    )


def _read_frame(frame: Checked, source: Source, *, inputs_dir: str, report: Report) -> tuple[str | None, str]:
    """The resource's schema and its resdir."""
    schema = string(given := frame.value("schema"))
    if schema is None:
        misspelt = next((name for name in attributes_of(source.root) if name.lower() == "schema"), "")
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


def _add_property(properties: dict[str, str | None], checked: Checked, scope: Scope, report: Report) -> None:
    """Take up a property."""
    name = checked.value("name")
    text = checked.content
    cumulate = boolean(checked.value("cumulate"), report)
    if name is None:
        return
    if not text or text.isspace():
        hint = "remove the property, or write __NULL__ for None"
        report.add("E203", f"the property {name.text} has no value", Place(checked.node), hint=hint)
        return
    value = None if text == NULL else scope.expand(text, Place(checked.node, Part.TEXT), report)
    if cumulate and value is not None:
        value = (properties.get(name.text) or "") + value
    elif name.text in properties:
        message = f"the property {name.text} is given twice; this one counts, not the one before"
        report.add("W201", message, name.place, hint='keep one of them, or write cumulate="True" to join them')
    properties[name.text] = value


def _read_execute(node: _Element, *, scope: Scope, report: Report, plain: bool) -> _Draft:
    """An execute but for its key."""
    checked = check(node, EXECUTE, report)
    draft = _Draft(node)
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
    draft.schedule = _read_schedule(checked, report)
    draft.debug = boolean(checked.value("debug"), report)
    for child in checked.children.get("property", []):
        _add_property(draft.properties, child, scope, report)
    if jobs := checked.children.get("job"):
        draft.job = _read_job(jobs[-1], scope=scope, report=report, plain=plain)
    return draft


def _read_schedule(checked: Checked, report: Report) -> Schedule | None:
    """When the execute is due; None where that is faulty."""
    times: list[AtTime] = []
    items: list[str] = []
    for value in checked.all("at"):
        try:
            schedule = parse_at(value.text)
        except ScheduleSyntaxError as fault:
            report.add("E301", str(fault), value.place.within(fault.start, fault.end), hint=fault.hint)
        else:
            times += schedule.times
            items += schedule.items
    every = checked.value("every")
    if every is None:
        return At(times=tuple(times), items=tuple(items)) if times else None
    try:
        return parse_every(every.text)
    except ScheduleSyntaxError as fault:
        report.add("E302", str(fault), every.place.within(fault.start, fault.end), hint=fault.hint)
        return None


def _read_job(checked: Checked, *, scope: Scope, report: Report, plain: bool) -> Job | None:
    """The job of an execute; None where its code is faulty."""
    code = checked.value("code")
    if code is None:
        position = report.tag_position(checked.node)
        return Job(source="", first_line=position.line, position=position)
    if code.text == NULL:
        report.add("E303", "code may not be __NULL__", code.place, hint="leave code out for a job that does nothing")
        return None
    return read_code(code.place, code.text, macros=scope.macros, report=report, plain=plain)


def _give_keys(drafts: Sequence[_Draft], rd_id: str, report: Report) -> None:
    """Give each execute its key: from its id, else from its title."""
    taken: dict[str, _Draft] = {}
    numbers: dict[str, int] = {}
    for draft in drafts:
        if draft.id is None:
            continue
        name = draft.id.text
        if name in taken:
            here, there = (report.position(Place(each.node)).line for each in (draft, taken[name]))
            message = f"the executes in lines {there} and {here} both have the id {name}"
            report.add("E206", message, draft.id.place, hint="ids must differ within an RD")
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
        if name != slug:
            line = report.position(Place(taken[slug].node)).line
            message = f"the execute in line {line} has the key {slug}, too; this one goes by {name}"
            report.add("W202", message, draft.title.place, hint="give both an id, so that they keep their histories")
        taken[name] = draft
        draft.key = f"{rd_id}#{name}"


def slug_of(title: str) -> str:
    """What a title comes to in a key: small letters and digits of any script, with hyphens between."""
    return re.sub(r"[^\w.]+", "-", title.lower()).strip("-.") or "execute"


def _finish(draft: _Draft, report: Report) -> Execute:
    """The execute that a draft without faults makes."""
    if draft.title is None or draft.schedule is None or draft.job is None:
        raise AssertionError("an execute is incomplete, and nothing was reported")
    return Execute(
        key=draft.key,
        id=draft.id.text if draft.id else None,
        title=draft.title.text,
        schedule=draft.schedule,
        job=draft.job,
        properties=draft.properties,
        debug=draft.debug,
        position=report.tag_position(draft.node),
    )


def _look_for_lost_executes(root: _Element, report: Report) -> None:
    """Tell of executes that stand where they never run."""
    told: set[_Element] = set()
    for node in root.iter(*_EXECUTES):
        around = [] if node.getparent() is root else list(node.iterancestors())
        names = {local_name(each): each for each in around}
        active = [names[name] for name in ACTIVE_TAGS if name in names]
        if not around or not _EXECUTE_NAMES.isdisjoint(names):
            continue
        if active:
            outermost = max(active, key=around.index)
            if outermost not in told:
                told.add(outermost)
                name = local_name(outermost)
                report.add("E208", f"not supported yet in this version: execute within {name}", Place(outermost))
        elif local_name(node) == EXECUTE.name:
            message = f"an execute within {local_name(around[0])} is never run"
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
