"""The elements that make other elements."""

import msgspec

from gavo_exec.elements.kinds import Attribute, Child, Element, Kind

STREAMS = ("STREAM", "NXSTREAM")
"""Elements that record others, to be used elsewhere."""
REPLAYS = ("FEED", "LFEED", "LOOP")
"""Elements in whose place others come."""
ACTIVE_TAGS = (*STREAMS, *REPLAYS, "PRUNE")
"""Elements that make other elements, or unmake them; they may stand anywhere but in plain text."""

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
