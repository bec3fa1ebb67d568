"""What operators set for all executes: portable properties in the settings file, in a variable and as flags."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gavo_exec.elements.portable import ENV, NAMED, PORTABLES, find_portable, parse_property
from gavo_exec.elements.values import PropertyFault


class DefaultsError(ValueError):
    """Some of the defaults cannot be used; ``faults`` has for each a name, and the sentence about it."""

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault for _, fault in self.faults))


def read_defaults(value: object, *, is_text: bool) -> dict[str, str]:
    """The texts of properties by their names; of ``value``, tables in tables or, where there is only text, items.

    An item is ``name=text``; semicolons separate several.  Raises DefaultsError with all that is wrong.
    """
    found: dict[str, str] = {}
    faults: list[tuple[str, str]] = []
    for name, given in _of_texts(value) if is_text else _of_table(value):
        text = _text(given)
        if not name or text is None:
            faults.append((name, f"{_shown(name, given)} is no property with a value, as in run.timeout=1h"))
        elif text and (fault := _fault(name, text)):
            faults.append((name, fault))
        elif text:
            found[name] = text
    if faults:
        raise DefaultsError(faults)
    return found


def _of_table(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names and values; the name of a table within goes before those in it."""
    if not isinstance(value, Mapping):
        yield prefix.removesuffix("."), value
        return
    for name, inner in value.items():
        yield from _of_table(inner, f"{prefix}{name}.")


def _of_texts(value: object) -> Iterator[tuple[str, object]]:
    """Names and values of ``name=text; name=text``; the name is empty where there is none."""
    texts = value if isinstance(value, list | tuple) else [value]
    for item in (item.strip() for text in texts for item in str(text).split(";")):
        name, equals, text = item.partition("=")
        if item:
            yield (name.strip(), text.strip()) if equals and name.strip() else ("", item)


def _text(value: object) -> str | None:
    """A value as RDs have it; None where it is none."""
    match value:
        case bool():
            return None
        case str():
            return value.strip()
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return f"{value:f}" if "e" in repr(value) else repr(value)
        case _:
            return None


def _shown(name: str, value: object) -> str:
    """What was given, for a message."""
    shown = f"{name} = {value!r}" if name else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _fault(name: str, text: str) -> str:
    """What is wrong with a default; '' where nothing is."""
    try:
        if find_portable(name).is_for_later:
            return f"{name} has no effect: this version has no such setting"
        parse_property(name, text)
    except PropertyFault as fault:
        return f"{fault} ({fault.hint})" if fault.hint else str(fault)
    return ""


def line_of(name: str, text: str) -> int:
    """The line of a settings file on which a default is set; 0 where that cannot be told."""
    table = re.search(r"""^[ \t]*\[?[ \t]*["']?defaults\b""", text, re.MULTILINE)
    last = re.escape(name.rpartition(".")[2])
    found = re.compile(rf"""^[ \t]*["'\w.]*?(?<!\w){last}["']?[ \t]*=""", re.MULTILINE).search(
        text, table.start() if table and name else len(text)
    )
    return text.count("\n", 0, found.start()) + 1 if found else 0


def defaults_schema() -> dict[str, Any]:
    """The JSON Schema of the defaults in a settings file: names with dots, or tables within tables."""
    value = {"type": ["string", "number"]}
    whole: dict[str, Any] = {}
    nested: dict[str, Any] = {}
    for portable in PORTABLES:
        if portable.is_for_later:
            continue
        says = {"description": f"{portable.description} It must be {portable.expects}.", **value}
        family, _, short = portable.name.partition(".")
        table = nested.setdefault(family, {"type": "object", "properties": {}, "additionalProperties": False})
        if short.endswith(NAMED):
            table["properties"]["env"] = {"description": portable.description, **_map_of(value)}
        else:
            whole[portable.name] = says
            table["properties"][short] = says
    return {
        "type": "object",
        "properties": {**whole, **nested},
        "patternProperties": {f"^{re.escape(ENV)}[A-Za-z_][A-Za-z_0-9]*$": value},
        "additionalProperties": False,
    }


def _map_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with such values."""
    return {"type": "object", "additionalProperties": value}
