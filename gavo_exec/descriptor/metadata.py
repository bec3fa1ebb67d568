"""Metadata of a resource: nested elements and blocks of lines to one flat mapping."""

from collections.abc import Callable, Iterable

from lxml.etree import _Element

from gavo_exec.descriptor.check import local_name, own_text
from gavo_exec.metalines import meta_lines


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
        within = [(key, child) for child in node.iterchildren("*") if local_name(child) == "meta"] if len(node) else []
        pending += reversed(within)
        if name and (text or within):
            # What only has others in it is there, and has no text.
            found.setdefault(key, []).append(expand(text))
        elif text:
            _add_block(found, prefix, text, expand)
    meta.clear()
    meta.update((key, tuple(values)) for key, values in found.items())


def _add_block(found: dict[str, list[str]], prefix: str, text: str, expand: Callable[[str], str]) -> None:
    """Add the lines of a block."""
    for line in meta_lines(text):
        key = ".".join(part for part in (prefix, line.key) if part)
        if line.replaces:
            found.pop(key, None)
        if line.value:
            found.setdefault(key, []).append(expand(line.value))
