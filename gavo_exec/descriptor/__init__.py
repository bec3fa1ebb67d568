"""The reader of RDs: the only room that knows XML.

Bytes become a tree (source), active tags in it are carried out (activetags, replays), what concerns executes is checked
against the table of elements (check), procedures are merged into jobs (procs), and all of it becomes a value (build).
Nothing is registered on the way, no file is opened but the RD and those that it refers to (references), and nothing is
run but the code of codeItems, and that only where the operator allows it.
"""

import os.path
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from gavo_exec.descriptor.build import Context, build_rd
from gavo_exec.descriptor.replays import RunItems
from gavo_exec.descriptor.source import Source, declared_encoding, read_bytes
from gavo_exec.descriptor.trust import Trust
from gavo_exec.errors import DescriptorError, Severity
from gavo_exec.model import ResourceDescriptor, Site
from gavo_exec.rdfiles import rd_id_for

__all__ = ["RunItems", "read"]

_NO_SITE = Site()
_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})
_REPLAYS = (b"FEED", b"LOOP")
_SIGNS = (b"execute", b"jobs")
"""Without these no execute can come of a file without DOCTYPE in an encoding that extends ASCII."""
_SOURCE = b"source"
_ELSEWHERE = re.compile(rb"""(?<!re)source\s*(?:>|=\s*["'](?!//)[^"'#&]*[#&])""")
_AT_THE_SYSTEMS = re.compile(rb"""source\s*=\s*["']//""")
"""A replay of a stream in another file may make executes; of one in this file not, as that would have signs.

The RDs that come with DaCHS have no such streams, unless the operator has put others in their place.
"""
_END = re.compile(rb"</(?:[\w.-]+:)?resource\s*>\s*\Z")
_BEFORE_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<resource\b", re.DOTALL)
_ASCII_LIKE = frozenset({"", "utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1"})


def read(
    path: str,
    *,
    inputs_dir: str,
    data: bytes | None = None,
    today: date | None = None,
    thorough: bool = False,
    site: Site = _NO_SITE,
    run_items: RunItems | None = None,
    defaults: Mapping[str, str] = _NO_DEFAULTS,
    trust: Trust | None = None,
) -> ResourceDescriptor:
    r"""The RD in a file, or in ``data`` if that is given; both paths are absolute.

    ``today`` is what ``\today`` stands for; without it that macro is a fault.  Files that are complete and cannot hold
    an execute are not parsed unless ``thorough``: their schema, meta, properties and digest stay empty, as all versions
    of them are the same, and faults in them untold.
    ``site`` is what macros can know of the data centre.  ``run_items`` runs the code of ``codeItems``; without it, code
    that is needed for executes is a fault.  ``defaults`` are portable properties for all executes, by name, and without
    fault.  ``trust`` judges who may have written the files that are opened.

    Raises DescriptorError with every fault found, and nothing else.
    """
    is_passed_over = False

    def look(path: str, descriptor: int, data: bytes) -> None:
        nonlocal is_passed_over
        is_passed_over = not thorough and _is_without_executes(data, inputs_dir)
        if trust is not None and not is_passed_over:
            trust.look(path, descriptor)

    if data is None:
        data = read_bytes(path, look)
    else:
        is_passed_over = not thorough and _is_without_executes(data, inputs_dir)
    if is_passed_over:
        return ResourceDescriptor(
            rd_id=rd_id_for(path, inputs_dir),
            path=path,
            inputs_dir=inputs_dir,
            resdir=path.rpartition("/")[0],
            sources=(path,),
        )
    content = data
    context = Context(
        inputs_dir=inputs_dir,
        today=today,
        site=site,
        run_items=run_items,
        thorough=thorough,
        defaults=defaults,
        look=trust.look if trust is not None else None,
    )
    return _judged(lambda: build_rd(Source(path, content), context), trust)


def _judged(build: Callable[[], ResourceDescriptor], trust: Trust | None) -> ResourceDescriptor:
    """The RD with what is to be thought of its files; raises DescriptorError where these are faults."""
    if trust is None:
        return build()
    try:
        rd = build()
    except DescriptorError as error:
        found = trust.judgement()
        raise DescriptorError((*found, *error.diagnostics), sources=error.sources, absent=error.absent) from None
    found = trust.judgement()
    if any(each.severity is Severity.ERROR for each in found):
        raise DescriptorError((*found, *rd.warnings), sources=rd.sources, absent=rd.absent)
    return msgspec.structs.replace(rd, warnings=(*found, *rd.warnings)) if found else rd


def _is_without_executes(data: bytes, inputs_dir: str) -> bool:
    """Whether this is an RD to its end (not one cut off, which might have had executes) in which none can be."""
    return (
        _END.search(data[-200:]) is not None
        and not any(data.rfind(sign) >= 0 for sign in _SIGNS)  # executes mostly stand near the end
        and not (_has_source_elsewhere(data, inputs_dir) and any(name in data for name in _REPLAYS))
        and _BEFORE_ROOT.match(data) is not None
        and declared_encoding(data).lower() in _ASCII_LIKE
        and b"\0" not in data
    )


def _has_source_elsewhere(data: bytes, inputs_dir: str) -> bool:
    """Whether a stream of another RD, which may have executes, is named as a source."""
    start = data.find(_SOURCE)
    names_systems = False
    while start >= 0:
        if _ELSEWHERE.match(data, start):
            return True
        names_systems = names_systems or _AT_THE_SYSTEMS.match(data, start) is not None
        start = data.find(_SOURCE, start + len(_SOURCE))
    # A stat is only worth while where it decides.
    return names_systems and os.path.isdir(f"{inputs_dir}/__system__")  # noqa: PTH112 -- a string
