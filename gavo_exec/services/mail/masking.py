"""Hides secrets in what leaves the machine."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

MASK = "[secret]"

SHORTEST = 4
"""Values of fewer characters are no secrets that could be told from other text."""


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


def secrets_in(environ: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """The values of those variables whose names are like one of these, in which * stands for anything."""
    patterns = [name.upper() for name in names]
    return [value for name, value in environ.items() if any(fnmatchcase(name.upper(), pattern) for pattern in patterns)]
