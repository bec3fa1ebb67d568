"""The table of elements and attributes that concern executes.

The checker, the schema for editors, the reference page and what job code can ask of its elements are all made from
this table, so it is the one place to say what an RD may hold.
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
    NAME = "a name as in Python, blanks around it left out"
    CODE = "Python"
    CHOICE = "one of a few words"
    REFERENCE = "an id, or rd_id#id for one in another RD"


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """Something atomic: an attribute or, unless ``only_attribute``, a child element with text.

    ``choices`` are the words that a CHOICE can be.
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


STREAMS = ("STREAM", "NXSTREAM")
"""Elements that record others, to be used elsewhere."""
REPLAYS = ("FEED", "LFEED", "LOOP")
"""Elements in whose place others come."""
ACTIVE_TAGS = (*STREAMS, *REPLAYS, "PRUNE")
"""Elements that make other elements, or unmake them; they may stand anywhere but in plain text."""

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

_KEY = Attribute(
    name="key",
    aliases=("name",),
    required=True,
    kind=Kind.NAME,
    description="What the parameter is called.",
)

PAR = Element(
    name="par",
    description="A parameter: a variable of setup code or, where it is late, of the job.",
    attributes=(
        _KEY,
        Attribute(
            name="late",
            kind=Kind.BOOLEAN,
            default="False",
            description="Computed for each run, when rd and execDef are there, rather than once per load.",
        ),
        Attribute(name="alias", kind=Kind.NAME, description="An older name, under which it can be bound, too."),
        Attribute(name="description", description="What the parameter is for."),
    ),
    content=(
        "The default, a Python expression. Without one the parameter has to be bound; __NULL__ means None, "
        "__EMPTY__ the empty string."
    ),
)

BIND = Element(
    name="bind",
    description="A value for a parameter of the job's setup or of the procDef it uses.",
    attributes=(_KEY,),
    content="A Python expression.",
)

SETUP = Element(
    name="setup",
    description="Parameters, and code to run once per load, before the job's first run.",
    attributes=(
        Attribute(
            name="original", kind=Kind.REFERENCE, description="A setup to copy; has to come before everything else."
        ),
        Attribute(
            name="imports",
            kind=Kind.STRINGS,
            repeated=True,
            description="Modules to import: a.b.c becomes from a.b import c.",
        ),
        Attribute(
            name="code",
            aliases=("codeFrags",),
            kind=Kind.CODE,
            repeated=True,
            description="Python code whose names the job can use. Macros in it are expanded.",
        ),
        Attribute(name="id", description="A name for other elements to refer to."),
    ),
    children=(Child(name="par", element=PAR, aliases=("pars",)),),
)

_TYPES = (
    "t_t",
    "apply",
    "rowfilter",
    "sourceFields",
    "mixinProc",
    "phraseMaker",
    "descriptorGenerator",
    "dataFunction",
    "dataFormatter",
    "metaMaker",
    "regTest",
    "iterator",
    "pargetter",
)

_PROCEDURE = (
    Attribute(
        name="original",
        kind=Kind.REFERENCE,
        description="A job or procDef to copy; has to come before everything else.",
    ),
    Attribute(
        name="code",
        kind=Kind.CODE,
        description="The Python code, as far indented as you like. Macros in it are expanded.",
    ),
    Attribute(name="id", description="A name for other elements to refer to."),
    Attribute(name="doc", description="What the code does, for readers."),
    Attribute(
        name="deprecated", description="Why the procedure should not be used any more; whoever uses it is warned."
    ),
    Attribute(
        name="type",
        kind=Kind.CHOICE,
        choices=_TYPES,
        description="What DaCHS uses such procedures for; of no consequence for jobs.",
    ),
)

PROCDEF = Element(
    name="procDef",
    description="A procedure: code and setup for jobs to use.",
    attributes=(*_PROCEDURE, Attribute(name="name", description="A name for the function.")),
    children=(Child(name="setup", element=SETUP, aliases=("setups",)),),
)

JOB = Element(
    name="job",
    description="The code of an execute: the body of a Python function of rd and execDef.",
    attributes=(*_PROCEDURE, Attribute(name="name", description="A name for the function.")),
    children=(
        Child(name="setup", element=SETUP, aliases=("setups",)),
        Child(name="bind", element=BIND, aliases=("bindings",)),
        Child(
            name="procDef",
            element=PROCDEF,
            repeated=False,
            by_reference=True,
            description="A procedure whose setup and, where the job has none of its own, code to use.",
        ),
    ),
)

EXECUTE = Element(
    name="execute",
    description="A job and when to run it. Exactly one of at, every and on says when.",
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
        Attribute(
            name="on",
            kind=Kind.CHOICE,
            choices=("loaded",),
            description=(
                "loaded: run when the daemon starts and whenever the RD has changed, before the RD's other jobs. "
                "DaCHS knows this since late 2025."
            ),
        ),
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
    one_of=("at", "every", "on"),
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
        Child(name="procDef", element=PROCDEF, aliases=("procDefs",)),
        Child(name="property", element=PROPERTY, aliases=("properties",)),
        Child(name="execute", element=EXECUTE, aliases=("jobs",)),
    ),
    open=True,
)

_REPLAY = (
    Attribute(
        name="source",
        kind=Kind.REFERENCE,
        description="The STREAM or NXSTREAM to replay. Exactly one of source and events has to be given.",
    ),
    Attribute(
        name="reexpand",
        kind=Kind.BOOLEAN,
        default="False",
        description="Expand macros also in what another active tag has expanded already.",
    ),
)

DEFAULTS = Element(
    name="DEFAULTS",
    description="Values for macros that a FEED or LOOP of the stream does not set, as attributes or elements.",
    open=True,
)

EVENTS = Element(
    name="events",
    description="Elements to replay, written in place.",
    attributes=(
        Attribute(
            name="passivate",
            kind=Kind.BOOLEAN,
            default="False",
            only_attribute=True,
            description="Leave active tags in it for the replay to carry out, as in an NXSTREAM.",
        ),
    ),
    open=True,
)

EDIT = Element(
    name="EDIT",
    description="Attributes and elements to add to some of the elements that are replayed, just before their ends.",
    attributes=(
        Attribute(
            name="ref",
            required=True,
            only_attribute=True,
            description="Which ones: element[x] means those of this element whose id or name is x.",
        ),
    ),
    open=True,
)

PRUNE = Element(
    name="PRUNE",
    description=(
        "Elements to leave out of a replay: those in whose attributes all these regular expressions are found. "
        "Several PRUNEs are alternatives."
    ),
    open=True,
)

_PRUNING = (Child(name="EDIT", element=EDIT), Child(name="PRUNE", element=PRUNE))

STREAM = Element(
    name="STREAM",
    description="Elements recorded for FEED and LOOP; active tags in it are carried out at once.",
    attributes=(
        Attribute(name="id", description="What FEED and LOOP call it by."),
        Attribute(name="doc", description="What it is for."),
    ),
    children=(Child(name="DEFAULTS", element=DEFAULTS),),
    open=True,
)

NXSTREAM = msgspec.structs.replace(
    STREAM,
    name="NXSTREAM",
    description="Elements recorded for FEED and LOOP; active tags in it are carried out whenever it is replayed.",
)

FEED = Element(
    name="FEED",
    description=(
        "Replays a stream here. All other attributes (or elements with text) are macros for it, with names of two "
        "characters or more."
    ),
    attributes=_REPLAY,
    children=(Child(name="events", element=EVENTS, repeated=False), *_PRUNING),
    open=True,
)

LFEED = msgspec.structs.replace(FEED, name="LFEED", description="Replays a stream here and expands no macros in it.")

LOOP = Element(
    name="LOOP",
    description=(
        "Replays a stream here once for each item. Exactly one of listItems, csvItems and codeItems has to be given; "
        "all other attributes (or elements with text) are macros, as with FEED."
    ),
    attributes=(
        Attribute(
            name="listItems",
            description="Items separated by white space; in the replay each is the macro item. Macros are expanded.",
        ),
        Attribute(
            name="csvItems",
            description=(
                "A table in CSV, its first line the names of macros (with two characters or more). Macros are expanded."
            ),
        ),
        Attribute(
            name="codeItems",
            kind=Kind.CODE,
            description=(
                "The body of a Python generator of dictionaries from names of macros to texts. It is run while the RD "
                "is read, and only where the setting code_items allows it."
            ),
        ),
        *_REPLAY,
    ),
    children=(Child(name="events", element=EVENTS, repeated=False), *_PRUNING),
    open=True,
)

ELEMENTS = (
    RESOURCE,
    EXECUTE,
    JOB,
    SETUP,
    PAR,
    BIND,
    PROCDEF,
    PROPERTY,
    MACDEF,
    META,
    STREAM,
    NXSTREAM,
    FEED,
    LFEED,
    LOOP,
    EVENTS,
    DEFAULTS,
    EDIT,
    PRUNE,
)
"""All elements of the table, outermost first, active tags after the others."""
