"""The table of elements and attributes that concern executes.

The checker, the schema for editors and the reference page are all made from this table, so it is the one place to say
what an RD may hold.
"""

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
    CODE = "Python"


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """Something atomic: an attribute or, unless ``only_attribute``, a child element with text.

    ``supported`` is False for what DaCHS has and we do not yet.
    """

    name: str
    kind: Kind = Kind.STRING
    description: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False
    default: str = ""
    only_attribute: bool = False
    supported: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The name and what else it may be called."""
        return (self.name, *self.aliases)


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A structured element within another; ``element`` is None for what we do not look into."""

    name: str
    element: "Element | None" = None
    description: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = True
    supported: bool = True

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


ACTIVE_TAGS = ("STREAM", "NXSTREAM", "FEED", "LFEED", "LOOP", "PRUNE")
"""Elements that make other elements; they may stand anywhere."""

PROPERTY = Element(
    name="property",
    description="A named value for job code (execDef.getProperty) and for settings. Macros in it are expanded.",
    attributes=(
        Attribute(
            name="name", aliases=("key",), required=True, only_attribute=True, description="What the value is called."
        ),
        Attribute(
            name="cumulate",
            kind=Kind.BOOLEAN,
            default="False",
            only_attribute=True,
            description="Append to the value given before instead of replacing it.",
        ),
    ),
    content="The value, with its white space; __NULL__ means None.",
)

JOB = Element(
    name="job",
    description="The code of an execute: the body of a Python function of rd and execDef.",
    attributes=(
        Attribute(
            name="code",
            kind=Kind.CODE,
            description="The Python code, as far indented as you like. Macros in it are expanded.",
        ),
        Attribute(name="id", description="A name for other elements to refer to."),
        Attribute(name="name", description="A name for the function."),
        Attribute(name="doc", description="What the job does, for readers."),
        Attribute(name="deprecated", description="Accepted for DaCHS's sake."),
        Attribute(name="type", description="Accepted for DaCHS's sake."),
        Attribute(name="procDef", description="A procDef whose code and setup to use.", supported=False),
        Attribute(name="original", description="A job or procDef to copy.", supported=False),
    ),
    children=(
        Child(name="setup", aliases=("setups",), description="Code to run once per load.", supported=False),
        Child(name="bind", aliases=("bindings",), description="A value for a parameter.", supported=False),
    ),
)

EXECUTE = Element(
    name="execute",
    description="A job and when to run it. Exactly one of at and every says when.",
    attributes=(
        Attribute(
            name="id",
            description="The name after # in the execute's key. Without it, the key is made from the title.",
        ),
        Attribute(
            name="title", required=True, description="What people read in lists and mails; it need not be unique."
        ),
        Attribute(
            name="at",
            kind=Kind.STRINGS,
            repeated=True,
            description=(
                "Times in UTC, such as 7:30, w1 7:30 (Mondays; 1 to 7) or m28 7:30 (day 28 of the month; 1 to 28)."
            ),
        ),
        Attribute(
            name="every",
            kind=Kind.INTEGER,
            description=(
                "Seconds between starts. The first run comes after a tenth of that or, "
                "where the number is negative, at once."
            ),
        ),
        Attribute(name="on", description='"loaded": run whenever the RD is loaded.', supported=False),
        Attribute(
            name="debug",
            kind=Kind.BOOLEAN,
            default="False",
            description="Mail the output of good runs, too.",
        ),
    ),
    children=(
        Child(name="job", element=JOB, required=True, repeated=False),
        Child(name="property", element=PROPERTY, aliases=("properties",)),
    ),
    one_of=("at", "every"),
)

MACDEF = Element(
    name="macDef",
    description="A macro without arguments, for use further down in the RD.",
    attributes=(
        Attribute(
            name="name",
            required=True,
            only_attribute=True,
            description="What the macro is called: two characters or more, as in Python.",
        ),
    ),
    content="The macro's value; macros in it are expanded when it is defined.",
)

META = Element(
    name="meta",
    description='Metadata for rd.getMeta and \\metaString. Without a name: a block of lines "key: value".',
    attributes=(Attribute(name="name", only_attribute=True, description="The key; metas within are called key.name."),),
    content="The value, or the block.",
    open=True,
)

RESOURCE = Element(
    name="resource",
    description="The root of an RD. Tables, services, data and all else that is not named here is passed over.",
    attributes=(
        Attribute(
            name="schema",
            kind=Kind.IDENTIFIER,
            description="The database schema; also the resdir's name where none is given. DaCHS requires it.",
        ),
        Attribute(
            name="resdir",
            description=(
                "The folder for the resource's files, relative to the resource directory; "
                "a dot is the RD's own folder. Default: the schema."
            ),
        ),
    ),
    children=(
        Child(name="meta", element=META),
        Child(name="macDef", element=MACDEF),
        Child(name="property", element=PROPERTY, aliases=("properties",)),
        Child(name="execute", element=EXECUTE, aliases=("jobs",)),
    ),
    open=True,
)

ELEMENTS = (RESOURCE, EXECUTE, JOB, PROPERTY, MACDEF, META)
"""All elements of the table, outermost first."""
