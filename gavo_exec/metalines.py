"""Metadata written as lines: in metas without a name, and in the ``defaultmeta.txt`` of a DaCHS site."""

import re
from collections.abc import Iterator

import msgspec

_CONTINUED = re.compile(r"[ \t]*\\[ \t]*\n[ \t]*")


class MetaLine(msgspec.Struct, frozen=True, kw_only=True):
    """One ``key: value``; ``value`` may be '', and ``replaces`` tells that it does away with earlier ones."""

    key: str
    value: str
    replaces: bool = False


def meta_lines(text: str) -> Iterator[MetaLine]:
    """The lines of a block: ``!key`` replaces, ``#`` begins a comment, a backslash at the end joins the next line.

    Lenient, for bad metadata is no reason to refuse a job: what is not understood is left out.
    """
    for line in _CONTINUED.sub(" ", text).split("\n"):
        key, colon, value = line.strip().partition(":")
        if colon and not key.startswith("#"):
            yield MetaLine(key=key.lstrip("!").strip(), value=value.strip(), replaces=key.startswith("!"))
