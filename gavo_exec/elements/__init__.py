"""The table of elements and attributes that concern executes.

The checker, the schema for editors, the reference page and what job code can ask of its elements are all made from
this table, so it is the one place to say what an RD may hold.
"""

from gavo_exec.elements.active import (
    ACTIVE_TAGS,
    DEFAULTS,
    EDIT,
    EVENTS,
    FEED,
    LFEED,
    LOOP,
    NXSTREAM,
    PRUNE,
    REPLAYS,
    STREAM,
    STREAMS,
)
from gavo_exec.elements.kinds import Attribute, Child, Element, Kind
from gavo_exec.elements.plain import BIND, EXECUTE, JOB, MACDEF, META, PAR, PROCDEF, PROPERTY, RESOURCE, SETUP

__all__ = [
    "ACTIVE_TAGS",
    "BIND",
    "DEFAULTS",
    "EDIT",
    "ELEMENTS",
    "EVENTS",
    "EXECUTE",
    "FEED",
    "JOB",
    "LFEED",
    "LOOP",
    "MACDEF",
    "META",
    "NXSTREAM",
    "PAR",
    "PROCDEF",
    "PROPERTY",
    "PRUNE",
    "REPLAYS",
    "RESOURCE",
    "SETUP",
    "STREAM",
    "STREAMS",
    "Attribute",
    "Child",
    "Element",
    "Kind",
]

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
