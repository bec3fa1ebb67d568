"""The format of DaCHS's configuration files (``gavo.rc``), and what holds where they say nothing."""

# ruff: noqa: PTH118, PTH120 -- paths are strings in this house

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gavo_exec.errors import SettingsError, plain, shortened
from gavo_exec.settings.paths import expanded

DEFAULT_SENDMAIL = "sendmail -t"
_DEFAULTS = {
    "general": {
        "inputsdir": "inputs",
        "configdir": "etc",
        "cachedir": "cache",
        "logdir": "logs",
        "tempdir": "tmp",
        "webdir": "web",
        "statedir": "state",
        "maintaineraddress": "",
        "sendmail": DEFAULT_SENDMAIL,
    },
    "web": {"serverurl": "http://localhost:8080", "nevowroot": "/", "sitename": "Unnamed data center"},
    "ivoa": {"authority": "x-unregistred"},
}
"""The values that jobs and macros may ask for, though no file says them."""
_FOLDERS = ("inputsdir", "configdir", "cachedir", "logdir", "tempdir", "webdir", "statedir")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HINT = "; mend it, or set dachs_config to another file, or to none"

Config = dict[str, dict[str, str]]
"""Values by section and item, both in small letters."""


def read_config(path: str) -> Config:
    """What one file says.  Raises OSError where it cannot be read, and SettingsError, with the line, for its faults."""
    # It takes longer to import than most commands have to do with it.
    import configparser

    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise SettingsError(_at(path, fault.object.count(b"\n", 0, fault.start) + 1, "this is not UTF-8")) from None
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as fault:
        raise SettingsError(_at(path, fault.lineno, "this stands before the first [section]")) from None
    except configparser.DuplicateSectionError as fault:
        raise SettingsError(_at(path, fault.lineno or 1, f"the section [{fault.section}] is there already")) from None
    except configparser.DuplicateOptionError as fault:
        raise SettingsError(_at(path, fault.lineno or 1, f"{fault.option} is given already")) from None
    except configparser.ParsingError as fault:
        line = fault.errors[0][0]
        problem = f"neither item = value nor [section]: {shortened(text.split(chr(10))[line - 1].strip())}"
        raise SettingsError(_at(path, line, problem)) from None
    found: Config = {}
    for section in parser.sections():
        found.setdefault(section.lower(), {}).update(parser.items(section))
    return found


def completed(given: Config, files: Sequence[str], *, root_dir: str, environ: Mapping[str, str]) -> Config:
    """The values of these files with those that hold where nothing is said, all folders absolute.

    ``root_dir`` is what holds for rootDir; where that is given and relative, it is so to the last file's folder.
    Raises SettingsError for what cannot be a folder.
    """
    config = {section: dict(given.get(section, {})) for section in {**_DEFAULTS, **given}}
    for section, defaults in _DEFAULTS.items():
        config[section] = {**defaults, **config[section]}
    general = config["general"]
    for item in ("rootdir", *_FOLDERS):
        value = general.get(item, "")
        if _CONTROL.search(value):
            raise SettingsError(f"{place_of(files, item)} must be a path on one line, not {shortened(value)}{_HINT}")
        if item == "rootdir":
            value = value or root_dir
            base = os.path.dirname(files[-1]) if files else ""
        else:
            value = value or _DEFAULTS["general"][item]
            base = general["rootdir"]
        general[item] = os.path.normpath(os.path.join(base, expanded(value, environ)))
    return config


def place_of(files: Sequence[str], item: str) -> str:
    """``path:line: item`` for the last of these files that gives an item; the item alone where none does."""
    pattern = re.compile(rf"^\s*({re.escape(item)})\s*[=:]", re.MULTILINE | re.IGNORECASE)
    for path in reversed(files):
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if found := list(pattern.finditer(text)):
            return f"{plain(path)}:{text.count(chr(10), 0, found[-1].start(1)) + 1}: {item}"
    return item


def _at(path: str, line: int, problem: str) -> str:
    """A fault with its place and the mend."""
    return f"{plain(path)}:{line}: {plain(problem)}{_HINT}"
