"""Metadata of a resource: nested elements and blocks of lines to one flat mapping."""

import re
from collections.abc import Callable, Iterable

from lxml.etree import _Element

from gavo_exec.descriptor.check import local_name, own_text

_CONTINUED = re.compile(r"[ \t]*\\[ \t]*\n[ \t]*")


def collect_meta(meta: dict[str, tuple[str, ...]], nodes: Iterable[_Element], *, expand: Callable[[str], str]) -> None:
    """Add all values by key to ``meta``; keys of nested metas are joined by dots.

    Lenient, for bad metadata is no reason to refuse a job: lines of a block that are not understood are left out.
    """
    found = {key: list(values) for key, values in meta.items()}
    pending = [("", node) for node in nodes]
    pending.reverse()
    while pending:
        prefix, node = pending.pop()
        name = node.get("name", "").strip()
        text = own_text(node).strip()
        key = f"{prefix}.{name}" if prefix and name else prefix or name
        if text and name:
            found.setdefault(key, []).append(expand(text))
        elif text:
            _add_block(found, prefix, text, expand)
        if len(node):
            within = [(key, child) for child in node.iterchildren("*") if local_name(child) == "meta"]
            pending += reversed(within)
    meta.clear()
    meta.update((key, tuple(values)) for key, values in found.items())


def _add_block(found: dict[str, list[str]], prefix: str, text: str, expand: Callable[[str], str]) -> None:
    """Add the lines ``key: value`` of a block; ``!key`` replaces what there is, ``#`` begins a comment."""
    for line in _CONTINUED.sub(" ", text).split("\n"):
        key, colon, value = line.strip().partition(":")
        if not colon or key.startswith("#"):
            continue
        replaces = key.startswith("!")
        key = ".".join(part for part in (prefix, key.lstrip("!").strip()) if part)
        if replaces:
            found.pop(key, None)
        if value.strip():
            found.setdefault(key, []).append(expand(value.strip()))
