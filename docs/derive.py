"""Write the documents that are derived from the code; with ``--check``, fail where one differs from its source.

A new one is a line in ``PRODUCERS``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gavo_exec import __version__, settings
from gavo_exec.cli import documents as cli
from gavo_exec.cli import json_reference
from gavo_exec.descriptor import elementpage, schema
from gavo_exec.elements.portable import PORTABLES, PREFIXES
from gavo_exec.errors import CODES
from gavo_exec.explanations import EXPLANATIONS
from gavo_exec.services.control import openapi

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


_ABOUT_PROPERTIES = """\
# Portable properties

<!-- Derived from gavo_exec/elements/portable.py: change it there. -->

Settings of executes beyond what elements and attributes say. An RD has them as properties, which DaCHS takes like any
others, and passes over:

```xml
<execute title="Fetch" at="7:30">
  <property name="run.timeout">1h 30m</property>
  <job><code>execDef.spawn(["bin/fetch"])</code></job>
</execute>
```

Directly in `resource` they are defaults for all of its executes, wherever these stand, and in the settings file, in
`defaults`, for all executes there are: see [settings](settings.md#defaults). Of several, the nearest counts: that of
the execute, then that of the resource, then that of the settings. `__NULL__` unsets a default. Each property goes by
itself.

Names that begin with PREFIXES are kept for these: one that is not on this page is an error, and so is a value that is
not understood. Properties of all other names belong to job code; it can read these as well. Macros in values are
expanded, blanks around them do not matter.

- **Durations** are numbers of seconds, or have units: `90`, `90s`, `10m` or `10 min`, `1h 30m`, `2d`, `1w`.
- **Calendar expressions** are minute, hour, day of the month, month and day of the week, as in a crontab: `*` is all,
  `1,2` a list, `1-5` a range, `*/2` every second. Days of the week are 0 to 7 (0 and 7 are Sunday) or `SUN` to `SAT`,
  with `#1` for the first of the month and `L` for the last; the last day of the month is `L`, and `LW` the last from
  Monday to Friday. A semicolon separates several expressions; each is enough.
- **Patterns** have `*` and `?` for characters within a name, `[abc]` for one of these, and `**` for any folders.
"""


def properties() -> str:
    """The page of portable properties."""
    *others, last = (f"`{prefix}`" for prefix in PREFIXES)
    lines = _ABOUT_PROPERTIES.replace("PREFIXES", f"{', '.join(others)} or {last}").splitlines()
    for portable in PORTABLES:
        if not portable.is_for_later:
            expects = portable.expects.replace("*", "\\*")
            lines += ["", f"## `{portable.name}`", "", portable.description, "", f"- value: {expects}"]
            lines += [f"- default: {portable.default}", f"- applies to: {portable.applies_to}"]
            lines += [f"- example: `{portable.example}`"]
    later = [f"`{portable.name}`" for portable in PORTABLES if portable.is_for_later]
    lines += ["", "## Later versions", "", f"Known, but without effect yet: {', '.join(later)}."]
    return "\n".join(lines) + "\n"


PRODUCERS: Sequence[tuple[str, Callable[[], str]]] = [
    ("docs/man/gavo-exec.1", cli.man_page),
    ("docs/man/gavo-exec.toml.5", cli.settings_page),
    ("docs/reference/cli.md", cli.reference),
    ("docs/reference/control.md", openapi.page),
    ("docs/reference/diagnostics.md", diagnostics),
    ("docs/reference/elements.md", elementpage.reference),
    ("docs/reference/json.md", json_reference.reference),
    ("docs/reference/properties.md", properties),
    ("docs/reference/settings.md", settings.reference),
    ("schemas/gavo-exec.rnc", schema.relax_ng_compact),
    ("schemas/gavo-exec.rng", schema.relax_ng),
    ("schemas/settings.schema.json", lambda: json.dumps(settings.schema(), indent=2) + "\n"),
    *(
        (f"schemas/json/{command}.schema.json", partial(json_reference.schema_text, command))
        for command in json_reference.PRINTED
    ),
    ("schemas/openapi.json", lambda: json.dumps(openapi.openapi(__version__), indent=2) + "\n"),
    ("schemas/json/notification.schema.json", json_reference.notification_schema_text),
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
