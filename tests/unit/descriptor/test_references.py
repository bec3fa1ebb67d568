"""References to other RDs, as far as cases in files cannot show them."""

from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError
from gavo_exec.model import ResourceDescriptor, Site

LIBRARY = '<resource schema="lib"><procDef id="p"><code>{}</code></procDef></resource>'


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def rd_of(tree: Path, reference: str, *, site: Site | None = None) -> ResourceDescriptor:
    data = (
        '<resource schema="s" resdir="."><execute title="T" at="1:00">'
        f'<job procDef="{reference}"/></execute></resource>'
    )
    path = tree / "x" / "q.rd"
    return read(str(path), inputs_dir=str(tree), data=data.encode(), site=site or Site())


def absent_of(tree: Path, reference: str, *, site: Site | None = None) -> list[str]:
    with pytest.raises(DescriptorError) as caught:
        rd_of(tree, reference, site=site)
    return [path.removeprefix(f"{tree}/") for path in caught.value.absent]


@pytest.mark.parametrize("name", ["a/lib", "a/lib.rd", "./a/lib", "b/../a/lib"])
def test_a_reference_may_be_an_absolute_path_below_the_resource_directory(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a" / "lib.rd", LIBRARY.format("pass"))
    rd = rd_of(tmp_path, f"{tmp_path}/{name}#p")
    assert rd.executes[0].job.source == "pass\n"
    assert rd.sources == (f"{tmp_path}/x/q.rd", f"{tmp_path}/a/lib.rd")


def test_a_folder_whose_name_merely_begins_with_that_of_the_resource_directory_is_outside(tmp_path: Path) -> None:
    write(tmp_path / "rds-old" / "lib.rd", LIBRARY.format("pass"))
    with pytest.raises(DescriptorError, match="E506"):
        rd_of(tmp_path / "rds", f"{tmp_path}/rds-old/lib#p")


def test_files_looked_for_in_vain_are_known(tmp_path: Path) -> None:
    site = Site(config_dir=f"{tmp_path}/etc", system_dir=f"{tmp_path}/system")
    assert absent_of(tmp_path, "a/lib#p", site=site) == ["a/lib.rd", "a/lib", "system/a/lib.rd", "system/a/lib"]
    assert absent_of(tmp_path, "%#p", site=site) == [
        "etc/userconfig.rd",
        "__system__/userconfig.rd",
        "system/__system__/userconfig.rd",
    ]


def test_a_file_found_late_leaves_those_before_it_absent(tmp_path: Path) -> None:
    write(tmp_path / "system" / "__system__" / "lib.rd", LIBRARY.format("pass"))
    rd = rd_of(tmp_path, "//lib#p", site=Site(system_dir=f"{tmp_path}/system"))
    assert rd.absent == (f"{tmp_path}/__system__/lib.rd", f"{tmp_path}/__system__/lib")


def test_the_general_configuration_is_not_opened_where_the_operator_has_the_element(tmp_path: Path) -> None:
    write(tmp_path / "etc" / "userconfig.rd", LIBRARY.format("pass"))
    write(tmp_path / "__system__" / "userconfig.rd", "<resource")
    rd = rd_of(tmp_path, "%#p", site=Site(config_dir=f"{tmp_path}/etc"))
    assert rd.sources == (f"{tmp_path}/x/q.rd", f"{tmp_path}/etc/userconfig.rd")


def test_a_change_in_another_file_is_another_version(tmp_path: Path) -> None:
    write(tmp_path / "lib.rd", LIBRARY.format("pass"))
    before = rd_of(tmp_path, "lib#p")
    write(tmp_path / "lib.rd", LIBRARY.format("raise"))
    assert rd_of(tmp_path, "lib#p").digest != before.digest


def test_a_refused_rd_knows_what_it_was_read_from(tmp_path: Path) -> None:
    write(tmp_path / "lib.rd", "<resource")
    with pytest.raises(DescriptorError) as caught:
        rd_of(tmp_path, "lib#p")
    assert caught.value.sources == (f"{tmp_path}/x/q.rd", f"{tmp_path}/lib.rd")
