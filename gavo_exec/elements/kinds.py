"""What the table of elements is made of."""

from enum import Enum
from functools import cached_property

import msgspec


class Kind(Enum):
    """What the text of an attribute is; the value is what the reference page says of it."""

    STRING = "text"
    STRINGS = "texts separated by commas"
    INTEGER = "a whole number"
    BOOLEAN = "true, yes, t, on, enabled, 1 or false, no, f, off, disabled, 0, in any capitalisation"
    IDENTIFIER = "an ASCII letter or underscore, then letters, digits and underscores"
    NAME = "a name as in Python, blanks around it left out"
    CODE = "Python"
    CHOICE = "one of a few words"
    REFERENCE = "an id, or rd_id#id for one in another RD"


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """Something atomic: an attribute or, unless ``only_attribute``, a child element with text.

    ``choices`` are the words that a CHOICE can be, or ``__NULL__`` where it ``may_be_null``; ``offered`` are words that
    editors can propose, though any other text will do.
    """

    name: str
    kind: Kind = Kind.STRING
    description: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False
    default: str = ""
    only_attribute: bool = False
    choices: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    may_be_null: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The name and what else it may be called."""
        return (self.name, *self.aliases)


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A structured element within another; with ``by_reference`` the id of one elsewhere may be given instead.

    Such an id is an attribute, or the only thing in the child.
    """

    name: str
    element: "Element"
    description: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = True
    by_reference: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name and what else it may be called."""
        return (self.name, *self.aliases)


class Element(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A structured element: what may stand in it.

    ``one_of`` are attributes of which exactly one must be given; ``content`` describes its text, if it has any; an
    ``open`` element may hold anything else besides, which is passed over.
    """

    name: str
    description: str = ""
    attributes: tuple[Attribute, ...] = ()
    children: tuple[Child, ...] = ()
    one_of: tuple[str, ...] = ()
    content: str = ""
    open: bool = False

    @cached_property
    def by_name(self) -> dict[str, Attribute | Child]:
        """Everything that may stand in it, by each of its names."""
        parts: tuple[Attribute | Child, ...] = (*self.attributes, *self.children)
        return {name: part for part in parts for name in part.names}

    @cached_property
    def required(self) -> tuple[Attribute | Child, ...]:
        """What must stand in it."""
        parts: tuple[Attribute | Child, ...] = (*self.attributes, *self.children)
        return tuple(part for part in parts if part.required)
