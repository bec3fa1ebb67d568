"""Bytes to a tree: reading files, encodings, and a parser that hostile XML does no harm.

Everything refused here is one DescriptorError with one diagnostic.
"""

import codecs
import hashlib
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from typing import NoReturn
from xml.parsers import expat

from lxml import etree
from lxml.etree import _Element

from gavo_exec.descriptor.malformed import explain
from gavo_exec.descriptor.places import Lines, Locator
from gavo_exec.elements import REPLAYS, STREAMS
from gavo_exec.errors import DescriptorError, Diagnostic, Position

MAX_BYTES = 4 << 20
"""No RD is remotely this large; it bounds the time that reading takes to about a second whatever a file holds."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_NOT_FOR_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
"""Codecs of Python's for other things than files; some of them take quadratic time."""


class Source:
    """An RD's file, decoded and parsed: ``text`` without byte order mark, ``root``, ``lines``.

    ``has_active_tags`` tells whether any element is one; ``plain`` tells that each line of text in the tree is one
    in the file: no entities that bring lines of their own.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.digest = hashlib.sha256(data).hexdigest()
        self.text, utf8 = _decode(path, data)
        self.lines = Lines(path, self.text)
        if "\0" in self.text:
            offset = self.text.index("\0")
            self.refuse("E102", "the file has a NUL character, which XML does not allow", start=offset, end=offset + 1)
        has_doctype = self.text.startswith("<!DOCTYPE", _end_of_prolog(self.text))
        if has_doctype:
            self._refuse_external_entities()
        self.root = self._parse(utf8, has_doctype=has_doctype)
        self.has_active_tags = next(self.root.iter(*_ACTIVE), None) is not None
        self.plain = not (
            has_doctype
            or ("&" in self.text and "&#" in self.text)
            or self.lines.has_lone_returns
            or (len(self.text) > _MAX_LINE and self.text.count("\n") >= _MAX_LINE)
        )

    @cached_property
    def locator(self) -> Locator:
        """Finds places in the file, at some cost the first time."""
        return Locator(self.lines, self.root)

    @cached_property
    def order(self) -> dict[_Element, int]:
        """For each element its place in document order."""
        return {node: index for index, node in enumerate(self.root.iter("*"))}

    def refuse(self, code: str, message: str, *, start: int, end: int = 0, hint: str = "") -> NoReturn:
        """Raise the DescriptorError for this fault at these offsets in the text."""
        position, excerpt, length = self.lines.show(start, end)
        diagnostic = Diagnostic(
            code=code, message=message, position=position, excerpt=excerpt, length=length, hint=hint
        )
        raise DescriptorError([diagnostic])

    def _refuse_external_entities(self) -> None:
        """Refuse a DOCTYPE that names files, before any parser that could read them sees it."""
        parser = expat.ParserCreate("utf-8")
        found: list[tuple[str, str, int]] = []

        def doctype(_name: str, system_id: str | None, public_id: str | None, _internal: bool) -> None:  # noqa: FBT001
            if system_id or public_id:
                external = system_id or public_id or ""
                found.append((f"the DOCTYPE refers to an external DTD: {external}", external, _byte(parser)))

        def entity(name: str, _parameter: bool, _value: object, _base: object, *ids: str | None) -> None:  # noqa: FBT001
            if ids[0] or ids[1]:
                external = ids[0] or ids[1] or ""
                found.append((f"the entity {name} is external: {external}", external, _byte(parser)))

        parser.StartDoctypeDeclHandler = doctype
        parser.EntityDeclHandler = entity
        with suppress(expat.ExpatError):  # the real parser says it better
            parser.Parse(self.text.encode(), True)
        if found:
            message, external, offset = found[0]
            # The parser tells where the declaration ends; what is wrong with it is the name of the file.
            end = len(self.text.encode()[:offset].decode(errors="ignore"))
            start = max(self.text.rfind(external, 0, end), 0)
            hint = "such files are never read; write the text into the RD itself"
            self.refuse("E105", message, start=start, end=start + len(external), hint=hint)

    def _parse(self, data: bytes, *, has_doctype: bool) -> _Element:
        """The root of the tree of these bytes in UTF-8; raises DescriptorError."""
        try:
            return etree.fromstring(data, _parser(attribute_defaults=has_doctype))
        except etree.XMLSyntaxError as fault:
            refusal = fault
        # A compiled parser's messages are kept by number, for their wording is not stable.
        message = str(refusal.msg)
        if getattr(refusal, "code", None) in _LIMITS:
            if "epth" in message:
                self._refuse_at(refusal, "E107", "the elements are nested too deeply for an RD")
            found = explain(self.text)
            message = found.message if found else "the entities of the file expand to too much text"
            start = found.start if found else max(0, self.text.find("<!ENTITY"))
            self.refuse("E106", message, start=start, hint="write the text out")
        if found := explain(self.text):
            self.refuse(found.code, found.message, start=found.start, end=found.end, hint=found.hint)
        # Expat takes it, so the fault is with prefixes; these mean nothing in RDs and need not be declared.
        try:
            root = etree.fromstring(data, _parser(attribute_defaults=has_doctype, recover=True))
        except etree.XMLSyntaxError:
            root = None
        # What could not be recovered as it stands must not go on as something else.
        if root is None or sum(1 for _ in root.iter("*")) != self._count_elements():
            self._refuse_at(refusal, "E102", f"not well-formed: {message.partition(', line ')[0]}")
        for node in root.iter("*"):
            if ":" in (local := node.tag.rpartition("}")[2]):
                try:
                    node.tag = local.rpartition(":")[2]
                except ValueError:  # what follows the colon is no name
                    node.tag = "_"
        return root

    def _count_elements(self) -> int:
        """How many elements expat finds."""
        parser = expat.ParserCreate("utf-8")
        found: list[str] = []
        parser.StartElementHandler = lambda name, _attributes: found.append(name)
        with suppress(expat.ExpatError):
            parser.Parse(self.text.encode(), True)
        return len(found)

    def _refuse_at(self, fault: etree.XMLSyntaxError, code: str, message: str) -> NoReturn:
        """Refuse for a fault that lxml found, where it found it."""
        self.refuse(code, message, start=self.lines.offset(fault.position[0] or 1, fault.position[1] or 1))


_ACTIVE = tuple(f"{{*}}{name}" for name in (*STREAMS, *REPLAYS))
_MAX_LINE = 65_534
"""The last line that lxml knows for certain."""
_PROLOG = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)


def _end_of_prolog(text: str) -> int:
    """Where what may precede a DOCTYPE ends."""
    found = _PROLOG.match(text)
    return found.end() if found else 0


def _byte(parser: expat.XMLParserType) -> int:
    """Where the parser is."""
    return parser.CurrentByteIndex


_LIMITS = frozenset({etree.ErrorTypes.ERR_ENTITY_LOOP, 114, 116})
"""Numbers of libxml2's faults about limits: loops of entities, resource limits, and amplification."""


@cache
def _parser(*, attribute_defaults: bool = False, recover: bool = False) -> etree.XMLParser:
    """A parser that reads nothing but what it is given, in UTF-8.

    Attribute defaults would make it read an external DTD, so they are only for files found to have none.
    """
    return etree.XMLParser(
        encoding="utf-8",
        attribute_defaults=attribute_defaults,
        recover=recover,
        resolve_entities="internal",  # type: ignore[arg-type]  # newer than the stubs
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        collect_ids=False,
        remove_comments=False,  # where they were, lines have to be counted with care
        remove_pis=False,
    )


def read_bytes(path: str, look: Callable[[str, int, bytes], object] | None = None) -> bytes:
    """The file's content; never waits, whatever the path leads to.  Raises DescriptorError.

    ``look`` is called with the path, the descriptor and the content, while the file is open.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _refusal(path, "E101", "the file cannot be read: not a regular file")
            if status.st_size > MAX_BYTES:
                raise _too_large(path, status.st_size)
            data = b""
            while len(data) <= MAX_BYTES and (more := os.read(descriptor, status.st_size + 1)):
                data = data + more if data else more
            if look is not None:
                look(path, descriptor, data)
            return data
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as fault:
        reason = (fault.strerror if isinstance(fault, OSError) else None) or str(fault)
        raise _refusal(path, "E101", f"the file cannot be read: {reason}") from None


def _refusal(path: str, code: str, message: str) -> DescriptorError:
    """The error for a file that has nothing to show."""
    return DescriptorError([Diagnostic(code=code, message=message, position=Position(path=path))])


def _too_large(path: str, size: int) -> DescriptorError:
    """The error for a file over the limit."""
    return _refusal(path, "E103", f"the file has {size} bytes; an RD may have {MAX_BYTES}")


def _decode(path: str, data: bytes) -> tuple[str, bytes]:
    """The file's text, without byte order mark, also in UTF-8.  Raises DescriptorError."""
    if len(data) > MAX_BYTES:
        raise _too_large(path, len(data))
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "")
    declared = "" if encoding else declared_encoding(data)
    if declared:
        try:
            codec = codecs.lookup(declared)
        except (LookupError, ValueError):
            codec = None
        if (
            codec is None
            or codec.name.replace("_", "-") in _NOT_FOR_FILES
            or not getattr(codec, "_is_text_encoding", True)
        ):
            raise _refused_encoding(path, data, data.index(declared.encode()), f"the encoding {declared} is unknown")
        encoding = codec.name
        if encoding.startswith(("utf-16", "utf-32")):
            message = f"the file declares the encoding {declared}, but is not in it"
            raise _refused_encoding(path, data, data.index(declared.encode()), message)
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
        return text, data if encoding in ("", "utf-8") else text.encode()
    except UnicodeDecodeError as fault:
        message = f"byte 0x{data[fault.start]:02X} is not {(declared or encoding or 'UTF-8').upper()}"
        raise _refused_encoding(path, data, fault.start, message) from None
    except UnicodeError as fault:
        raise _refused_encoding(path, data, 0, f"the file is not {declared or encoding}: {fault}") from None


def declared_encoding(data: bytes) -> str:
    """The encoding named in the XML declaration, '' where there is none."""
    found = _DECLARATION.match(data[:400])
    return found[1].decode("ascii") if found else ""


def _refused_encoding(path: str, data: bytes, offset: int, message: str) -> DescriptorError:
    """The error for bytes that do not follow their encoding; the place is as good as can be told."""
    before = data[:offset].decode("utf-8", errors="replace")
    after = data[offset:].decode("utf-8", errors="replace")
    position, excerpt, length = Lines(path, before + after).show(len(before), len(before) + 1)
    hint = 'save the file in UTF-8, or declare what it is in: <?xml version="1.0" encoding="iso-8859-1"?>'
    return DescriptorError(
        [Diagnostic(code="E104", message=message, position=position, excerpt=excerpt, length=length, hint=hint)]
    )
