"""The macros of an RD: what it is called and where it is, its metadata, and what is known of the data centre."""

import os.path
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

from gavo_exec.macros import STANDARD, Macro, MacroError
from gavo_exec.model import Site

_LICENSES = {
    "RSTccby": ("Creative Commons Attribution 3.0", "https://creativecommons.org/licenses/by/3.0/"),
    "RSTccbysa": ("Creative Commons Attribution-ShareAlike 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    "RSTcc0": ("Creative Commons Zero 1.0 Universal", "https://creativecommons.org/publicdomain/zero/1.0/"),
}
"""What the macros for licences name and link to."""


def rd_macros(
    *,
    rd_id: str,
    schema: str | None,
    resdir: str,
    inputs_dir: str,
    meta: Mapping[str, tuple[str, ...]],
    today: date | None,
    site: Site,
) -> dict[str, Macro]:
    """All macros that an RD has without defining any; ``meta`` may still grow."""

    def meta_string(key: str, *default: str) -> str:
        values = meta.get(key) or site.meta.get(key) or default
        if len(values) != 1:
            problem = "there is no such metadata" if not values else "there are several values"
            raise MacroError(f"cannot give {key}: {problem}")
        return values[0].replace("\n", " ")

    def meta_sequence(key: str, default: str = "", joiner: str = ", ") -> str:
        values = meta.get(key) or site.meta.get(key)
        return joiner.join(values) if values else default

    return {
        **STANDARD,
        **_site_macros(site),
        "rdId": Macro(function=lambda: rd_id),
        "rdIdDotted": Macro(function=lambda: rd_id.replace("/", ".")),
        "schema": Macro(function=lambda: _or_fail(schema, "has no value, for the resource has no schema")),
        "resdir": Macro(function=lambda: _relative(resdir, inputs_dir)),
        "today": Macro(
            function=lambda: _or_fail(today.isoformat() if today else None, "has no value here: no date is given")
        ),
        "metaString": Macro(function=meta_string, least=1, most=2),
        "metaSeq": Macro(function=meta_sequence, least=1, most=3),
    }


@lru_cache(maxsize=8)
def _site_macros(site: Site) -> Mapping[str, Macro]:
    """The macros that depend on the data centre."""

    def config(section: str, item: str) -> str:
        value = site.get(section, item)
        if value is None:
            known = (
                "no gavo.rc was found" if not site.config else f"{site.files[0] if site.files else 'gavo.rc'} has none"
            )
            raise MacroError(f"has no value for [{section}] {item}: {known}")
        return value

    def get_config(*names: str) -> str:
        return config("general", names[0]) if len(names) == 1 else config(names[0], names[1])

    def site_path(path: str) -> str:
        parts = ((site.get("web", "nevowRoot") or "").strip("/"), path.lstrip("/"))
        return "/" + "/".join(part for part in parts if part)

    def link(path: str) -> str:
        return config("web", "serverURL").rstrip("/") + site_path(path)

    def rst_link(path: str, title: str) -> str:
        return f"`{title} <{site_path(path)}>`_"

    def license_statement(name: str) -> Callable[[str], str]:
        title, url = _LICENSES[name]
        return lambda what: f"{what} is licensed under the `{title} License <{url}>`_."

    def standard_pubdid(column: str = "accref") -> str:
        return f"'ivo://{config('ivoa', 'authority')}/~?' || gavo_urlescape({column})"

    return {
        "getConfig": Macro(function=get_config, least=1, most=2),
        "internallink": Macro(function=link, least=1, most=1),
        "sql_standardPubDID": Macro(function=standard_pubdid, most=1),
        "RSTservicelink": Macro(function=lambda path, title="": rst_link(path, title or path), least=1, most=2),
        "RSTtable": Macro(function=lambda name: rst_link(f"tableinfo/{name}", name), least=1, most=1),
        **{name: Macro(function=license_statement(name), least=1, most=1) for name in _LICENSES},
    }


def _or_fail(value: str | None, problem: str) -> str:
    """The value; raises MacroError where there is none."""
    if value is None:
        raise MacroError(problem)
    return value


def _relative(resdir: str, inputs_dir: str) -> str:
    """The resdir relative to the resource directory; raises MacroError where it is outside."""
    relative = os.path.relpath(resdir, inputs_dir)
    if relative == ".." or relative.startswith("../"):
        raise MacroError(f"has no value, for {resdir} is outside of the resource directory")
    return relative
