"""Modules beside the data: fresh, private, and able to see each other."""

import sys
from pathlib import Path

import pytest

from gavo_exec.runtime.modules import load_module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "res" / "bin"
    path.mkdir(parents=True)
    (path / "plot.py").write_text("import sibling\nimport math\nvalue = sibling.value + math.floor(1.5)\n")
    (path / "sibling.py").write_text("value = 41\n")
    return path


@pytest.mark.parametrize("spelling", ["plot", "plot.py"])
def test_the_path_may_be_given_with_or_without_its_extension(folder: Path, spelling: str) -> None:
    module, spec = load_module(str(folder / spelling))
    assert module.value == 42
    assert spec.origin == str(folder / "plot.py")
    assert module.__name__ == "res_bin_plot"


def test_each_call_executes_the_files_as_they_are_now(folder: Path) -> None:
    load_module(str(folder / "plot"))
    (folder / "sibling.py").write_text("value = 100_000_000\n")
    assert load_module(str(folder / "plot"))[0].value == 100_000_001


def test_the_interpreters_modules_and_path_stay_as_they_are(folder: Path) -> None:
    path = list(sys.path)
    load_module(str(folder / "plot"))
    assert sys.path == path
    assert "sibling" not in sys.modules
    assert "res_bin_plot" not in sys.modules


def test_like_named_siblings_of_two_folders_do_not_meet(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "sibling.py").write_text("value = 1\n")
    (other / "plot.py").write_text("from sibling import value\n")
    assert load_module(str(other / "plot"))[0].value == 1
    assert load_module(str(folder / "plot"))[0].value == 42


def test_two_modules_may_import_each_other_and_are_loaded_once(folder: Path) -> None:
    (folder / "a.py").write_text("import b\nvalue = b.value\n")
    (folder / "b.py").write_text("import a\nvalue = 7\nassert a.__name__.endswith('a')\n")
    assert load_module(str(folder / "a"))[0].value == 7


def test_a_module_imported_later_by_a_function_is_found_too(folder: Path) -> None:
    (folder / "late.py").write_text("def get():\n    import sibling\n    return sibling.value\n")
    assert load_module(str(folder / "late"))[0].get() == 41


def test_a_missing_file_is_said_as_such(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such Python module"):
        load_module(str(folder / "absent"))


def test_what_a_module_raises_comes_through(folder: Path) -> None:
    (folder / "bad.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load_module(str(folder / "bad"))
