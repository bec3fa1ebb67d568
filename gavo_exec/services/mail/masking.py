"""Hides secrets in what leaves the machine: in whole texts, before anything of them is cut or put in other words."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import msgspec

MASK = "[secret]"

SHORTEST = 4
"""Values of fewer characters are no secrets that could be told from other text."""


_Value = TypeVar("_Value")


class Masker:
    """Puts MASK in place of each of these values, wherever they stand; for one thread."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: tuple[str, ...] = ()
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Hide these, too; of values of several lines also each line, since texts may be told line by line."""
        parts = {part.strip() for value in values for part in (value, *value.splitlines())}
        known = {part for part in parts if len(part) >= SHORTEST}.union(self._values)
        # The longest first, so that nothing is left of one that has another in it.
        self._values = tuple(sorted(known, key=lambda value: (-len(value), value)))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def all_of(self, value: _Value) -> _Value:
        """A frozen value without them in any of its texts, however deep these are."""
        return _changed(value, self) if self._values else value


def _changed(value: Any, mask: Masker) -> Any:
    """The value with its texts masked; itself where there is nothing to mask."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        parts = tuple(_changed(part, mask) for part in value)
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if not isinstance(value, msgspec.Struct):
        return value
    olds = {name: getattr(value, name) for name in value.__struct_fields__}
    news = {name: new for name, old in olds.items() if (new := _changed(old, mask)) is not old}
    return msgspec.structs.replace(value, **news) if news else value


def secrets_in(environ: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """The values of those variables whose names are like one of these, in which * stands for anything."""
    patterns = [name.upper() for name in names]
    return [value for name, value in environ.items() if any(fnmatchcase(name.upper(), pattern) for pattern in patterns)]
