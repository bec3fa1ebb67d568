"""What is known of one setting, and how its values are read."""

import math
import re
from typing import Any, Literal

import msgspec

from gavo_exec.elements.values import parse_url
from gavo_exec.settings.defaults import read_defaults

PREFIX = "GAVO_EXEC_"
"""How the variables of settings begin."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, for whatever derives from the table; ``default`` and ``unit`` are texts for people."""

    name: str
    type: Literal["text", "secret", "path", "url", "list", "choice", "switch", "int", "float", "table"]
    description: str
    default: str
    metavar: str
    unit: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    annotation: Any

    @property
    def flag(self) -> str:
        """``--inputs-dir``; '' for secrets, since everybody can see the arguments of all processes."""
        return "" if self.type == "secret" else f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """``GAVO_EXEC_INPUTS_DIR``."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        match self.type:
            case "int" | "float":
                kind = "a whole number" if self.type == "int" else "a number"
                return f"{kind} from {self.minimum:,g} to {self.maximum:,.0f}"
            case "choice":
                return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
            case "list":
                return "a list of texts"
            case "table":
                return "a table of [portable properties](properties.md) and their values"
            case "url":
                return "an address that begins with https:// or http://"
            case _:
                return {"path": "a path", "switch": "true or false"}.get(self.type, "text on one line")

    def convert(self, value: object, *, is_text: bool) -> object:
        """The value as the table has it; ``is_text`` tells that it comes from where there are only texts.

        Raises ValueError, with what is wrong, where it is not what it must be; of tables DefaultsError.
        """
        if self.type == "table":
            return read_defaults(value, is_text=is_text)
        if is_text and self.type == "list":
            texts = [value] if isinstance(value, str) else value
            if isinstance(texts, list | tuple):
                value = [item.strip() for text in texts for item in str(text).split(",") if item.strip()]
        try:
            found = msgspec.convert(value, type=self.annotation, strict=not is_text)
        except msgspec.ValidationError:
            raise ValueError(self._must_be(value)) from None
        is_infinite = isinstance(found, float) and not math.isfinite(found)
        texts = found if isinstance(found, tuple) else (found,)
        if is_infinite or any(isinstance(text, str) and _CONTROL.search(text) for text in texts):
            raise ValueError(self._must_be(value))
        if self.type == "url" and found:
            try:
                parse_url(str(found))
            except ValueError:
                raise ValueError(self._must_be(value)) from None
        return found

    def _must_be(self, value: object) -> str:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        return f"must be {self.expects}" + ("" if self.type == "secret" else f", not {shown}")
