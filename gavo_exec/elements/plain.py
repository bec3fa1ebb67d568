"""The elements that say what runs when: resource, execute, job and what is in these."""

from gavo_exec.elements.kinds import Attribute, Child, Element, Kind
from gavo_exec.elements.portable import NAMED, PORTABLES

PROPERTY = Element(
    name="property",
    description=(
        "A named value for job code (execDef.getProperty). Names that begin with when., run. or mail. are settings of "
        "executes, which have a page of their own. Macros in the value are expanded."
    ),
    attributes=(
        Attribute(
            name="name",
            aliases=("key",),
            required=True,
            only_attribute=True,
            offered=tuple(each.name for each in PORTABLES if not each.is_for_later and not each.name.endswith(NAMED)),
            description="What the value is called.",
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
                "Times, such as 7:30, w1 7:30 (Mondays; 1 to 7) or m28 7:30 (day 28 of the month; 1 to 28); in UTC, or "
                "in the zone of the property when.zone."
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
            may_be_null=False,
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
