"""A page about each code: why it is told, an example that is wrong, and its mend.

``check --explain`` prints these, and the reference of diagnostics has them.  An example is a whole RD, or what stands
in one, or the code of a job; lines that begin with ``$`` are commands.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from gavo_exec.explanations import differences, jobs, linting, reading


class Explanation(NamedTuple):
    """Why a code is told, what leads to it, and what to write instead."""

    why: str
    wrong: str
    mend: str


def _explanation(page: str) -> Explanation:
    """The parts of a page."""
    why, _, examples = page.partition("\n\nWrong:\n")
    wrong, _, mend = examples.partition("\n\nMend:\n")
    return Explanation(why=" ".join(why.split()), wrong=wrong, mend=mend.rstrip())


EXPLANATIONS: Mapping[str, Explanation] = MappingProxyType(
    {
        code: _explanation(page)
        for part in (reading.PAGES, jobs.PAGES, linting.PAGES, differences.PAGES)
        for code, page in part.items()
    }
)
"""By code."""
