"""Procedures: procDef, setup, par and bind merged into one job.

A job has what it copies (``original``), what its procDef has, and its own: setups add up, its own code goes before that
of the procDef.  Parameters become assignments, at the beginning of the setup or, where they are late, of the job.
"""

import keyword
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import msgspec
from lxml.etree import _Element

from gavo_exec.descriptor.check import NULL, Checked, Value, boolean, check, element_name, local_name
from gavo_exec.descriptor.codefaults import Body
from gavo_exec.descriptor.jobsource import read_code, read_expression
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.references import BadReferenceError, Library
from gavo_exec.descriptor.replays import report_reference
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope
from gavo_exec.elements import JOB, PROCDEF, SETUP, Element
from gavo_exec.errors import shortened
from gavo_exec.model import Code, Job

_SPECS: dict[str, Element] = {each.name: each for each in (JOB, PROCDEF, SETUP)}


class _Parameter:
    """A parameter of a setup: ``default`` is None where it has to be bound."""

    def __init__(self, checked: Checked, key: str, alias: str, default: Value | None, *, late: bool) -> None:
        self.place = Place(checked.node)
        self.key = key
        self.alias = alias
        self.default = default
        self.late = late


class _Setup:
    """A setup, what it copies included."""

    def __init__(self) -> None:
        self.parameters: list[_Parameter] = []
        self.imports: Value | None = None
        self.code: list[Value] = []


class _Procedure:
    """A job or procDef, what it copies included."""

    def __init__(self) -> None:
        self.code: Value | None = None
        self.setups: list[_Setup] = []
        self.bindings: list[Checked] = []
        self.procdef: _Procedure | None = None
        self.name = ""
        self.doc = ""
        self.deprecated = ""


class Procedures:
    """Reads jobs with all that they refer to."""

    def __init__(
        self, *, library: Library, report: Report, scope: Scope, carried_out: Callable[[_Element], _Element]
    ) -> None:
        self._library = library
        self._report = report
        self._scope = scope
        self._carried_out = carried_out
        self._following: list[_Element] = []
        self._routes: dict[Value | Checked, tuple[Place, ...]] = {}

    def read_job(self, checked: Checked) -> Job | None:
        """The job of an execute; None where it is faulty, which is told."""
        report = self._report
        failed_before, report.failed = report.failed, False
        try:
            job = self._read(checked)
            return None if report.failed else job
        finally:
            report.failed |= failed_before

    def _read(self, checked: Checked) -> Job | None:
        """The job, as far as it can be told."""
        if not checked.children and checked.values.keys() <= {"code"}:
            # Nearly all jobs are nothing but code.
            code = self._code(checked.value("code"), checked)
            return None if code is None else _job_of(code, ())
        with self._inside(checked.node):
            procedure = self._procedure(checked)
        definition = procedure.procdef or _Procedure()
        setups = [*definition.setups, *procedure.setups]
        bindings = self._bindings(procedure.bindings, setups)
        code = self._code(procedure.code or definition.code, checked)
        late: list[Code] = []
        setup: list[Code] = []
        for parameter in (each for each_setup in setups for each in each_setup.parameters):
            assignment = self._assignment(parameter, bindings, checked)
            if assignment is not None:
                (late if parameter.late else setup).append(assignment)
        for each in setups:
            setup.extend(self._imports(each))
            setup.extend(filter(None, (self._setup_code(value) for value in each.code)))
        if code is None or self._report.failed:
            return None
        name = procedure.name or definition.name
        return msgspec.structs.replace(
            _job_of(_prefixed(code, late), tuple(part for part in setup if part.source)),
            name=name.strip(),
            doc=procedure.doc or definition.doc,
        )

    def _code(self, value: Value | None, job: Checked) -> Code | None:
        """The code of a job; where it has none, nothing that stands where the job does."""
        if value is None:
            position = self._report.tag_position(job.node)
            return Code(first_line=position.line, position=position)
        if value.text == NULL:
            hint = "leave code out for a job that does nothing"
            with self._on_route_to(value):
                self._report.add("E303", "code may not be __NULL__", value.place, hint=hint)
            return None
        with self._on_route_to(value):
            return read_code(value.place, value.text, macros=self._scope.macros, report=self._report)

    def _setup_code(self, value: Value) -> Code | None:
        """Setup code."""
        if value.text == NULL:
            with self._on_route_to(value):
                self._report.add("E303", "code may not be __NULL__", value.place, hint="leave it out")
            return None
        with self._on_route_to(value):
            return read_code(value.place, value.text, macros=self._scope.macros, report=self._report, body=Body.SETUP)

    def _procedure(self, checked: Checked) -> _Procedure:
        """A job or procDef with what it copies."""
        procedure = _Procedure()
        if (original := self._original(checked, (JOB.name, PROCDEF.name))) is not None:
            copied, reached = original
            with reached, self._inside(copied.node):
                procedure = self._procedure(copied)
        code = checked.value("code")
        if code is not None:
            procedure.code = code
            self._note_route(code)
        procedure.setups += [self._setup(each) for each in checked.children.get("setup", ())]
        procedure.bindings += (bindings := checked.children.get("bind", []))
        self._note_route(*bindings)
        for name in ("name", "doc", "deprecated"):
            if (value := checked.value(name)) is not None and value.text != NULL:
                setattr(procedure, name, value.text)
        if (value := checked.value("procDef")) is not None and value.text != NULL:
            procedure.procdef = self._procdef(checked, value)
        return procedure

    def _procdef(self, checked: Checked, value: Value) -> _Procedure | None:
        """The procDef of a job, in place or elsewhere."""
        if value.place.part is Part.TAG:
            in_place = next(each for each in checked.children["procDef"] if each.node is value.place.node)
            return self._in_use(self._procedure(in_place), "in place", value)
        found = self._follow(value, (PROCDEF.name,))
        if found is None:
            return None
        with self._report.reached_by(value.place), self._inside(found.node):
            procedure = self._procedure(found)
        return self._in_use(procedure, value.text.strip(), value)

    def _in_use(self, procedure: _Procedure, name: str, value: Value) -> _Procedure:
        """The procedure, with a warning where it should not be used."""
        if procedure.deprecated:
            message = f"the procedure {name} is deprecated: {procedure.deprecated.strip()}"
            self._report.add("W504", message, value.place, hint="see its RD for what to use instead")
        return procedure

    def _original(
        self, checked: Checked, kinds: tuple[str, ...]
    ) -> tuple[Checked, AbstractContextManager[object]] | None:
        """What the element copies, and what tells faults in that with the reference."""
        value = checked.value("original")
        if value is None or value.text == NULL:
            return None
        if value.place.part is Part.TEXT and _has_before(checked.node, value.place.node):
            message = "original comes after other things, which would be lost"
            hint = f'write it into the tag: <{local_name(checked.node)} original="{value.text.strip()}">'
            self._report.add("E208", message, Place(value.place.node), hint=hint)
            return None
        found = self._follow(value, kinds)
        return None if found is None else (found, self._report.reached_by(value.place))

    def _note_route(self, *parts: Value | Checked) -> None:
        """Note through which references these were reached, for when they are read."""
        if route := self._report.route:
            self._routes.update(dict.fromkeys(parts, route))

    def _on_route_to(self, part: Value | Checked) -> AbstractContextManager[None]:
        """Being where the references have led to this."""
        return self._report.on_route(self._routes.get(part, ()))

    def _inside(self, node: _Element) -> AbstractContextManager[object]:
        """Being inside of this element, which must not lead back to itself."""
        return _Inside(self._following, node)

    def _follow(self, value: Value, kinds: tuple[str, ...]) -> Checked | None:
        """The element that a reference means, checked; None where there is none, which is told."""
        try:
            node = self._library.find(value.text, value.place.node, kinds)
        except BadReferenceError as fault:
            report_reference(fault, value.place, self._report)
            return None
        carried_out = self._carried_out(node)
        if carried_out in self._following:
            message = f"{shortened(value.text.strip())} leads back to itself, {self._where(Place(node), value.place)}"
            self._report.add("E504", message, value.place, hint="let one of them do without the other")
            return None
        with self._report.reached_by(value.place):
            return check(carried_out, _SPECS[element_name(node)], self._report)

    def _setup(self, checked: Checked) -> _Setup:
        """A setup with what it copies."""
        setup = _Setup()
        if (original := self._original(checked, (SETUP.name,))) is not None:
            copied, reached = original
            with reached, self._inside(copied.node):
                setup = self._setup(copied)
        for each in checked.children.get("par", ()):
            if (parameter := self._parameter(each)) is not None:
                setup.parameters.append(parameter)
        if (imports := checked.value("imports")) is not None:
            setup.imports = imports
            self._note_route(imports)
        setup.code += checked.all("code")
        self._note_route(*checked.all("code"))
        return setup

    def _where(self, place: Place, seen_from: Place) -> str:
        """Where a place is, in words, for a message about another."""
        there = self._report.position(place)
        return f"in line {there.line}" if there.path == self._report.path_of(seen_from) else f"in {there}"

    def _parameter(self, checked: Checked) -> _Parameter | None:
        """A par; None where its name is faulty, which is told."""
        key = self._identifier(checked.value("key"))
        alias = self._identifier(checked.value("alias"))
        late = boolean(checked.value("late"), self._report)
        if key is None:
            return None
        text = checked.content
        default = Value(text, Place(checked.node, Part.TEXT)) if text.strip() else None
        if default is not None:
            self._note_route(default)
        return _Parameter(checked, key, alias or "", default, late=late)

    def _identifier(self, value: Value | None) -> str | None:
        """A name for something in Python; None where there is none, or a fault, which is told."""
        if value is None or value.text == NULL:
            return None
        name = value.text.strip()
        if not name.isidentifier() or keyword.iskeyword(name):
            hint = "Python uses this word itself" if keyword.iskeyword(name) else _NAMES
            self._report.add("E303", f"not a name in Python: {shortened(value.text)}", value.place, hint=hint)
            return None
        return name

    def _bindings(self, given: list[Checked], setups: list[_Setup]) -> dict[str, Checked]:
        """The bindings by the keys of their parameters."""
        parameters = [each for setup in setups for each in setup.parameters]
        keys = {each.key: each.key for each in parameters}
        aliases = {each.alias: each.key for each in parameters if each.alias}
        bindings: dict[str, Checked] = {}
        written: dict[str, str] = {}
        for checked in given:
            with self._on_route_to(checked):
                name = self._identifier(checked.value("key"))
                if name is None:
                    continue
                if not checked.content.strip():
                    self._report.add("E203", f"the binding of {name} has no value", Place(checked.node), hint=_VALUE)
                    continue
                key = keys.get(name) or aliases.get(name)
                if key is None:
                    self._report_unknown(checked, name, [*keys, *aliases])
                    continue
                if key in bindings:
                    self._report_bound_before(checked, bindings[key], key, is_alias=written[key] != name)
                bindings[key] = checked
                written[key] = name
        return bindings

    def _report_unknown(self, checked: Checked, name: str, known: list[str]) -> None:
        """Say that there is no such parameter."""
        from difflib import get_close_matches  # only rarely needed

        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}" if known else ""
        where = checked.value("key")
        message = f"there is no parameter {name}" + ("" if known else ", nor any other")
        place = where.place if where else Place(checked.node)
        self._report.add("E512", message, place, hint=hint, fix=near[0] if near else None)

    def _report_bound_before(self, checked: Checked, before: Checked, key: str, *, is_alias: bool) -> None:
        """Say that a parameter is bound twice."""
        there = self._report.position(Place(before.node))
        where = f"{there.line}:{there.column}"
        if is_alias:
            message = f"the parameter {key} is bound under its alias, too; the other binding is in {where}"
            self._report.add("E513", message, Place(checked.node), hint="keep one of them")
        elif checked.node.getparent() is before.node.getparent():  # else it takes the place of one that was copied
            message = f"the parameter {key} is bound twice; this binding counts, not that in {where}"
            self._report.add("W201", message, Place(checked.node), hint="keep one of them")

    def _assignment(self, parameter: _Parameter, bindings: dict[str, Checked], job: Checked) -> Code | None:
        """The assignment of a parameter's value to its name; None where that is faulty, which is told."""
        binding = bindings.get(parameter.key)
        value = parameter.default if binding is None else Value(binding.content, Place(binding.node, Part.TEXT))
        if value is None:
            where = self._where(parameter.place, Place(job.node))
            message = f"the parameter {parameter.key} (defined {where}) has neither a default nor a binding"
            hint = f'write <bind key="{parameter.key}">its value</bind>'
            self._report.add("E511", message, Place(job.node), hint=hint)
            return None
        text = "None" if value.text.strip() == NULL else value.text
        with self._on_route_to(value if binding is None else binding):
            return read_expression(value.place, text, parameter.key, macros=self._scope.macros, report=self._report)

    def _imports(self, setup: _Setup) -> Iterator[Code]:
        """The imports of a setup as statements."""
        value = setup.imports
        if value is None or value.text == NULL:
            return
        for part in _ITEM.finditer(value.text):
            found = _IMPORT.fullmatch(item := part[0].rstrip())
            if found is None or any(map(keyword.iskeyword, re.split(r"\W|\bas\b", item))):
                where = value.place.within(part.start(), part.start() + len(item))
                hint = "write modules separated by commas: os.path, json as j"
                with self._on_route_to(value):
                    self._report.add("E303", f"not a module to import: {shortened(item)}", where, hint=hint)
                continue
            package, name, renamed = found["package"], found["name"], found["renamed"] or ""
            statement = f"from {package} import {name}{renamed}" if package else f"import {name}{renamed}"
            position = self._report.position(value.place)
            yield Code(source=f"{statement}\n", first_line=position.line, position=position)


_ITEM = re.compile(r"[^\s,][^,]*")
_NAME = r"[^\W\d]\w*"
_IMPORT = re.compile(rf"(?:(?P<package>{_NAME}(?:\.{_NAME})*)\.)?(?P<name>{_NAME})(?P<renamed>\s+as\s+{_NAME})?")
_VALUE = "write a Python expression, None or '' for instance"
_NAMES = "a name has letters, digits and underscores, and no digit first"


class _Inside:
    """Remembers an element while what is in it is followed."""

    def __init__(self, following: list[_Element], node: _Element) -> None:
        self._following = following
        self._node = node

    def __enter__(self) -> None:
        self._following.append(self._node)

    def __exit__(self, *_: object) -> None:
        self._following.pop()


def _has_before(parent: _Element, child: _Element) -> bool:
    """Whether the element has attributes, or elements before this one."""
    return bool(parent.attrib) or next(child.itersiblings("*", preceding=True), None) is not None


def _job_of(code: Code, setup: tuple[Code, ...]) -> Job:
    """The job with this code."""
    return Job(source=code.source, first_line=code.first_line, lines=code.lines, position=code.position, setup=setup)


def _prefixed(code: Code, parts: list[Code]) -> Code:
    """The code with these before it, as one: in the file where the code is, or that of the first if there is none."""
    if not parts:
        return code
    base = code if code.source else parts[0]
    lines: list[int] = []
    for part in (*parts, code):
        count = part.source.count("\n")
        here = part.lines or range(part.first_line, part.first_line + count)
        # A function has one file: what stands in another is taken to stand where the code begins.
        lines += here if part.position.path == base.position.path else [base.first_line] * count
    return Code(
        source="".join(part.source for part in (*parts, code)),
        first_line=lines[0],
        lines=tuple(lines),
        position=base.position,
    )
