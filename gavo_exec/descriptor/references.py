"""References: ids within an RD, ``rd#id`` across RDs, ``//x`` of the system's RDs, ``%#x`` of the operator's own.

Files are opened when something refers to them, once for each RD that is read.
"""

import hashlib
import os.path
from collections.abc import Callable, Iterator
from typing import NoReturn

from lxml.etree import _Element

from gavo_exec.descriptor.check import element_name, is_true, local_name, own_text
from gavo_exec.descriptor.places import Place
from gavo_exec.descriptor.provenance import Provenance
from gavo_exec.descriptor.source import Source, read_bytes
from gavo_exec.elements import REPLAYS, RESOURCE, STREAMS
from gavo_exec.errors import DescriptorError, Diagnostic, GavoExecError, shortened
from gavo_exec.model import Site
from gavo_exec.rdfiles import rd_id_for

_RECORDING = frozenset({*STREAMS, *REPLAYS, "EDIT", "events"})
"""What is in these are not elements of the RD yet."""


class BadReferenceError(GavoExecError):
    """A reference that cannot be followed; ``found`` is what the other file was refused for.

    ``later`` is the element that is meant where that comes too late.
    """

    def __init__(self, code: str, message: str, hint: str = "", found: tuple[Diagnostic, ...] = ()) -> None:
        self.later: _Element | None = None
        self.code = code
        self.hint = hint
        self.found = found
        super().__init__(message)


class Library:
    """The RD that is read and all others that it refers to; ``absent`` are the files looked for in vain."""

    def __init__(
        self,
        source: Source,
        *,
        inputs_dir: str,
        site: Site,
        provenance: Provenance,
        look: Callable[[str, int], None] | None = None,
    ) -> None:
        self.main = source
        self.absent: dict[str, None] = {}
        self._inputs_dir = inputs_dir
        self._site = site
        self._provenance = provenance
        self._look = look
        self._opened: dict[str, Source | DescriptorError] = {source.path: source}
        self._ids: dict[Source, dict[str, list[_Element]]] = {}
        self._made: dict[Source, dict[str, _Element]] = {}
        self.make_all: Callable[[Source], None] = lambda _: None
        """Makes everything that the active tags of another file make, and enters it here."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The files that something was read from, the RD's own first."""
        return tuple(self._opened)

    def digest(self) -> str:
        """What tells the versions of these files taken together apart; of one file alone its own digest."""
        digests = [opened.digest for opened in self._opened.values() if isinstance(opened, Source)]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def rd_id(self, source: Source) -> str:
        """The id of the RD in a file."""
        for folder in (self._inputs_dir, self._site.system_dir):
            if folder and source.path.startswith(f"{folder}/"):
                return rd_id_for(source.path, folder)
        return source.path.removesuffix(".rd")

    def enter(self, source: Source, made: _Element) -> None:
        """Note the ids of what active tags have made for this file's RD."""
        for node in made.iter("*"):
            if name := id_of(node):
                self._made.setdefault(source, {})[name] = node

    def find(self, reference: str, node: _Element, kinds: tuple[str, ...]) -> _Element:
        """The element of one of these kinds that a reference in ``node`` means; raises BadReferenceError."""
        text = reference.strip()
        rd_part, mark, name = text.rpartition("#")
        if "#" in rd_part or not name:
            raise BadReferenceError("E506", f"not a reference: {shortened(reference)}", "write id or rd_id#id")
        home = self._provenance.home(node)
        searched: list[Source] = []
        for source in self._open_user_configs() if rd_part == "%" else [self._open(rd_part, home) if mark else home]:
            searched.append(source)
            if (found := self._look_up(source, name, node, kinds)) is not None:
                break
        else:
            raise self._not_found(searched[0], name, text, node)
        if element_name(found) not in kinds:
            kind = local_name(found)
            article = "an" if kind[0].lower() in "aeio" else "a"
            message = f"{text} is {article} {kind}, not a {' or '.join(kinds)}"
            raise BadReferenceError("E505", message, f"it stands in {self._shown(found)}")
        return found

    def _look_up(self, source: Source, name: str, node: _Element, kinds: tuple[str, ...]) -> _Element | None:
        """The element of this id that was defined last before the node; ``container.name`` is one within another."""
        found = self._defined(source, name, node)
        if found is None and source is not self.main:
            self.make_all(source)
            found = self._defined(source, name, node)
        if found is None and "." in name:
            container, _, within = name.rpartition(".")
            outer = self._defined(source, container, node)
            for child in outer.iterchildren("*") if outer is not None else ():
                if element_name(child) in kinds and within in (child.get("name"), id_of(child)):
                    return child
        return found

    def _defined(self, source: Source, name: str, node: _Element) -> _Element | None:
        """The element of this id, as far as it is defined before the node."""
        candidates = self._index(source).get(name, ())
        made = self._made.get(source, {}).get(name)
        if self._provenance.home(node) is source:
            before = source.order[self._provenance.anchor(node)]
            candidates = [each for each in candidates if source.order[each] < before]
        if made is not None and candidates:
            # The later one has taken the id over.
            order = source.order
            return made if order[self._provenance.anchor(made)] > order[candidates[-1]] else candidates[-1]
        return made if made is not None else (candidates[-1] if candidates else None)

    def _index(self, source: Source) -> dict[str, list[_Element]]:
        """The elements of a file by their ids, but for those that are only recorded."""
        if source not in self._ids:
            index: dict[str, list[_Element]] = {}
            skipped: set[_Element] = set()
            for node in source.root.iter("*"):
                parent = node.getparent()
                if parent is not None and (parent in skipped or local_name(parent) in _RECORDING):
                    skipped.add(node)
                    if local_name(node) in STREAMS and _is_carried_out(node) and (name := id_of(node)):
                        index.setdefault(name, []).append(node)
                elif name := id_of(node):
                    index.setdefault(name, []).append(node)
            self._ids[source] = index
        return self._ids[source]

    def _not_found(self, source: Source, name: str, reference: str, node: _Element) -> BadReferenceError:
        """Why there is no such element, and what may be meant."""
        from difflib import get_close_matches  # only rarely needed

        index = self._index(source)
        later = index.get(name)
        if later and later[0] is self._provenance.anchor(node):
            return BadReferenceError("E504", f"{reference} leads back to itself", "copy something else, or nothing")
        if later:
            hint = f"it is defined only in {self._shown(later[0])}; move it up"
        elif near := get_close_matches(name, index, n=1):
            hint = f"did you mean {reference[: len(reference) - len(name)]}{near[0]}?"
        else:
            hint = "" if "#" in reference else "write rd_id#id for one in another RD"
        where = "" if source is self.main else f" in {source.path}"
        fault = BadReferenceError("E503", f"there is no element with the id {name}{where}", hint)
        fault.later = later[0] if later else None
        return fault

    def _shown(self, node: _Element) -> str:
        """Where an element stands, in words."""
        trace = self._provenance.trace(Place(node))
        position = trace.source.locator.position(trace.place)
        return f"line {position.line}" if position.path == self.main.path else str(position)

    def _open(self, rd_part: str, home: Source) -> Source:
        """The file of an RD; raises BadReferenceError."""
        below = self._canonical(rd_part)
        if below == self.rd_id(home):
            return home
        candidates = [f"{self._inputs_dir}/{below}.rd", f"{self._inputs_dir}/{below}"]
        if self._site.system_dir:
            candidates += [f"{self._site.system_dir}/{below}.rd", f"{self._site.system_dir}/{below}"]
        source = self._first_of(candidates)
        if source is None:
            raise BadReferenceError("E503", f"there is no RD {rd_part}", self._where_it_should_be(below))
        return source

    def _where_it_should_be(self, below: str) -> str:
        """The mend for an RD that is not there."""
        if below.startswith("__system__/") and not self._site.system_dir:
            return (
                f"it comes with DaCHS, which is not installed here; {below}.rd in the resource directory can stand in"
            )
        return f"looked for {self._inputs_dir}/{below}.rd"

    def _open_user_configs(self) -> Iterator[Source]:
        """The operator's own definitions, then those that hold where these have none; raises BadReferenceError."""
        own = [f"{self._site.config_dir}/userconfig.rd"] if self._site.config_dir else []
        general = [f"{self._inputs_dir}/__system__/userconfig.rd"]
        if self._site.system_dir:
            general.append(f"{self._site.system_dir}/__system__/userconfig.rd")
        is_there = False
        for candidates in (own, general):
            if (source := self._first_of(candidates)) is not None:
                is_there = True
                yield source
        if not is_there:
            raise BadReferenceError("E503", "there is no userconfig.rd", f"looked for {(own or general)[0]}")

    def _canonical(self, rd_part: str) -> str:
        """The path below the resource directory, without ``.rd``; raises BadReferenceError."""
        path = rd_part
        if path.startswith("//"):
            path = f"__system__/{path[2:]}"
        elif path.startswith("/"):
            if not path.startswith(f"{self._inputs_dir}/"):
                raise BadReferenceError("E506", f"{rd_part} is not below the resource directory {self._inputs_dir}")
            path = path[len(self._inputs_dir) + 1 :]
        path = os.path.normpath(path)
        if path == ".." or path.startswith("../") or "\0" in path:
            raise BadReferenceError("E506", f"{shortened(rd_part)} leads out of the resource directory")
        return path.removesuffix(".rd")

    def _look_at(self, path: str, descriptor: int, _data: bytes) -> None:
        """Let whoever wants to look at a file that is open."""
        if self._look is not None:
            self._look(path, descriptor)

    def _first_of(self, candidates: list[str]) -> Source | None:
        """The first of these files that is there, opened; raises BadReferenceError where it is no good."""
        for path in candidates:
            if path not in self._opened:
                if not os.path.isfile(path):  # noqa: PTH113 -- paths are strings in this house
                    self.absent[path] = None
                    continue
                try:
                    source = Source(path, read_bytes(path, self._look_at))
                    if local_name(source.root) != RESOURCE.name:
                        refuse_root(source)
                    self._opened[path] = source
                    self._provenance.add_source(source)
                except DescriptorError as error:
                    self._opened[path] = error
            opened = self._opened[path]
            if isinstance(opened, DescriptorError):
                message = f"{path} cannot be used: {opened.diagnostics[0].message}"
                raise BadReferenceError("E503", message, "see there", opened.diagnostics)
            return opened
        return None


def _is_carried_out(tag: _Element) -> bool:
    """Whether an active tag within a stream or events is carried out when these are recorded."""
    return not any(
        local_name(node) == "NXSTREAM" or (local_name(node) == "events" and is_true(node.get("passivate", "")))
        for node in tag.iterancestors()
    )


def refuse_root(source: Source) -> NoReturn:
    """Raise the DescriptorError for a file whose root is something else than a resource."""
    root = source.root
    start, end = source.locator.span(Place(root))
    source.refuse("E108", f"the root element is {local_name(root)}, not resource", start=start, end=end)


def id_of(node: _Element) -> str:
    """The element's id, whichever way it is given; '' where it has none."""
    name = node.get("id")
    for child in node.iterchildren("{*}id"):
        name = own_text(child).strip() or name
    return name or ""
