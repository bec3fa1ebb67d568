"""What derives from the table of settings: the page about them, and the schema of settings files."""

from typing import Any

import msgspec

from gavo_exec.settings.defaults import defaults_schema
from gavo_exec.settings.table import SETTINGS, Settings


def schema() -> dict[str, Any]:
    """The JSON Schema of settings files, for editors."""
    _, components = msgspec.json.schema_components([Settings])
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **components["Settings"]}
    found["additionalProperties"] = False
    del found["required"]
    found["properties"]["defaults"] |= defaults_schema()
    for setting in SETTINGS:
        if setting.type in {"secret", "url"}:
            found["properties"][setting.name] = _or_reference(found["properties"][setting.name])
        if setting.default.replace(",", "") != str(found["properties"][setting.name].get("default")):
            found["properties"][setting.name].pop("default", None)
    return found


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """A text, or where it is kept."""
    text = {name: value for name, value in schema.items() if name not in {"description", "default"}}
    places = [
        {
            "type": "object",
            "properties": {place: {"type": "string"}},
            "required": [place],
            "additionalProperties": False,
        }
        for place in ("file", "env", "credential")
    ]
    rest = {name: value for name, value in schema.items() if name in {"description", "default"}}
    return {**rest, "anyOf": [text, *places]}


def reference() -> str:
    """The page about all settings, in Markdown."""
    lines = [
        "# Settings",
        "",
        "<!-- Derived from gavo_exec/settings/table.py: change it there. -->",
        "",
        "Every setting has one name: in the settings file, as a flag and in the environment. Flags win over the",
        "environment, which wins over the file. Of `smtp_host`, `sendmail` and `maildir` one can be given at each of",
        "these places, and the strongest place decides.",
        "",
        "The settings file is a TOML file: the one named on the command line, else by `$GAVO_EXEC_SETTINGS`, else the",
        "first of `./gavo-exec.toml`, `$XDG_CONFIG_HOME/gavo-exec/settings.toml` (`~/.config` where that is not set)",
        "and `/etc/gavo-exec/settings.toml`. Paths in it are relative to its folder, all others to the working",
        "directory; `~` is the home directory. What is empty counts as not given, what is unknown is an error.",
        "What is given nowhere may come from the configuration of DaCHS: see [How to use a DaCHS site as it",
        "stands](../howto/dachs-site.md).",
    ]
    for setting in SETTINGS:
        if setting.type in {"secret", "url"}:
            elsewhere = '`{file = "..."}`, `{env = "NAME"}` or `{credential = "name"}`, of systemd\'s `LoadCredential=`'
            lines_of_kind = [f"- kept elsewhere, in the settings file: {elsewhere}"]
        else:
            lines_of_kind = []
        flag = f"`{setting.flag} {setting.metavar}`" if setting.flag else "none, since others could see it"
        lines += [
            "",
            f"## `{setting.name}`",
            "",
            setting.description,
            "",
            f"- value: {setting.expects}{f', in {setting.unit}' if setting.unit else ''}",
            f"- default: {setting.default or 'none'}",
            *lines_of_kind,
            f"- flag: {flag}",
            f"- variable: `{setting.variable}`",
        ]
    return "\n".join([*lines, ""])
