"""Write the documents that are derived from the code; with ``--check``, fail where one differs from its source.

A new one is a line in ``PRODUCERS``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gavo_exec import settings
from gavo_exec.cli import documents as cli
from gavo_exec.cli import json_reference
from gavo_exec.descriptor import elementpage, schema
from gavo_exec.errors import CODES
from gavo_exec.explanations import EXPLANATIONS

ROOT = Path(__file__).resolve().parent.parent

_GROUPS = {
    "1": "The file and its XML",
    "2": "Elements and attributes",
    "3": "Values",
    "4": "Job code",
    "5": "Macros and references",
    "6": "Mistakes in sound code",
    "7": "Differences from DaCHS",
}


def diagnostics() -> str:
    """The page of codes."""
    lines = [
        "# Diagnostics",
        "",
        "What `gavo-exec check` and the daemon say about a resource descriptor, as `path:line:column: CODE message`.",
        "An error (E) refuses this version of the file, and the last good one runs on; a warning (W) does not. A note",
        "(N) is no fault at all, and told only where it is asked for. The message beside a code says what is wrong in",
        "the particular case; here stands what the code means in general, and `gavo-exec check --explain` with a code",
        "prints its page from below.",
    ]
    for digit, title in _GROUPS.items():
        lines += ["", f"## {title}", "", "| Code | Meaning |", "|---|---|"]
        lines += [f"| {code} | {meaning} |" for code, meaning in sorted(CODES.items()) if code[1] == digit]
    lines += ["", "## Code by code"]
    for code in sorted(CODES, key=lambda code: (code[1], code)):
        page = EXPLANATIONS[code]
        why = page.why.replace("\\", "\\\\").replace("<", "\\<")
        lines += ["", f"### {code}", "", CODES[code].replace("\\", "\\\\"), "", why]
        lines += ["", "Wrong:", "", "```", page.wrong, "```", "", "Instead:", "", "```", page.mend, "```"]
    return "\n".join(lines) + "\n"


PRODUCERS: Sequence[tuple[str, Callable[[], str]]] = [
    ("docs/man/gavo-exec.1", cli.man_page),
    ("docs/reference/cli.md", cli.reference),
    ("docs/reference/diagnostics.md", diagnostics),
    ("docs/reference/elements.md", elementpage.reference),
    ("docs/reference/json.md", json_reference.reference),
    ("docs/reference/settings.md", settings.reference),
    ("schemas/gavo-exec.rnc", schema.relax_ng_compact),
    ("schemas/gavo-exec.rng", schema.relax_ng),
    ("schemas/settings.schema.json", lambda: json.dumps(settings.schema(), indent=2) + "\n"),
    *(
        (f"schemas/json/{command}.schema.json", partial(json_reference.schema_text, command))
        for command in json_reference.PRINTED
    ),
]
"""Each derived file, from the top of the repository, and what makes its text."""


def stale(root: Path = ROOT) -> list[str]:
    """The derived files that differ from what their sources make of them, or are not there."""
    return [
        name
        for name, produce in PRODUCERS
        if not (path := root / name).is_file() or path.read_text(encoding="utf-8") != produce()
    ]


def write(root: Path = ROOT) -> list[str]:
    """Write the files that are stale; answers which."""
    names = stale(root)
    producers = dict(PRODUCERS)
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(producers[name](), encoding="utf-8")
    return names


def main(argv: Sequence[str]) -> int:
    """The command; answers its exit code."""
    if argv not in ([], ["--check"]):
        print("usage: derive.py [--check]", file=sys.stderr)
        return 2
    checking = bool(argv)
    names = stale() if checking else write()
    for name in names:
        print(f"{name} differs from its source: run make docs" if checking else f"wrote {name}")
    return 1 if checking and names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
