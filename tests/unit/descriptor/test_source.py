"""Files, encodings, and XML that means harm."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from gavo_exec.descriptor.source import MAX_BYTES
from gavo_exec.errors import DescriptorError, Diagnostic
from gavo_exec.model import ResourceDescriptor

RD = '<resource schema="x" resdir="."><execute title="{title}" at="1:00"><job/></execute></resource>'


def fault_of(path: Path | str, data: bytes | None = None) -> Diagnostic:
    """The one diagnostic that reading comes to."""
    with pytest.raises(DescriptorError) as caught:
        read(str(path), inputs_dir="/rds", data=data)
    (diagnostic,) = caught.value.diagnostics
    assert "\n" not in str(diagnostic)
    return diagnostic


def read_bytes(data: bytes) -> ResourceDescriptor:
    return read("/rds/x/q.rd", inputs_dir="/rds", data=data)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    path.write_text(RD.format(title="T"), encoding="utf-8")
    rd = read(str(path), inputs_dir=str(tmp_path))
    assert rd.executes[0].key == "q#t"
    assert rd.sources == (str(path),)


def test_a_vanished_file_is_a_fault(tmp_path: Path) -> None:
    fault = fault_of(tmp_path / "gone.rd")
    assert str(fault) == f"{tmp_path}/gone.rd:1:1: E101 the file cannot be read: No such file or directory"


def test_a_directory_is_a_fault(tmp_path: Path) -> None:
    assert str(fault_of(tmp_path)).endswith("E101 the file cannot be read: not a regular file")


@pytest.mark.timeout(5)
def test_a_fifo_is_a_fault_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "q.rd")
    assert str(fault_of(tmp_path / "q.rd")).endswith("E101 the file cannot be read: not a regular file")


def test_a_socket_is_a_fault() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/q.rd")
        assert fault_of(f"{folder}/q.rd").code == "E101"


def test_an_endless_device_is_a_fault() -> None:
    assert str(fault_of("/dev/zero")).endswith("E101 the file cannot be read: not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    path.touch(mode=0)
    assert str(fault_of(path)).endswith("E101 the file cannot be read: Permission denied")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "\udcff"])
def test_a_path_that_cannot_be_is_a_fault(name: str) -> None:
    assert fault_of(f"/nowhere/{name}").code == "E101"


def test_a_link_to_itself_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "q.rd").symlink_to("q.rd")
    assert fault_of(tmp_path / "q.rd").code == "E101"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert str(fault_of(path)) == f"{path}:1:1: E103 the file has {1 << 40} bytes; an RD may have {MAX_BYTES}"


def test_huge_data_is_refused() -> None:
    assert fault_of("/rds/q.rd", b" " * (MAX_BYTES + 1)).code == "E103"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("UTF-8", "utf-8-sig"),
        ("utf8", "utf-8"),
        ("", "utf-16"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-be"),
        ("utf-16", "utf-32"),
        ("iso-8859-1", "iso-8859-1"),
        ("windows-1252", "cp1252"),
        ("cp437", "cp437"),
        ("ISO-8859-15", "iso-8859-15"),
        ("macintosh", "mac-roman"),
    ],
)
def test_encodings_that_python_knows_work(declared: str, codec: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    rd = read_bytes((declaration + RD.format(title="Für é")).encode(codec))
    assert rd.executes[0].title == "Für é"


def test_cyrillic_in_one_byte_works() -> None:
    rd = read_bytes(('<?xml version="1.0" encoding="koi8-r"?>' + RD.format(title="Данные")).encode("koi8-r"))
    assert rd.executes[0].key == "x/q#данные"


@pytest.mark.parametrize(
    "codec", ["idna", "punycode", "base64", "rot13", "undefined", "unicode_escape", "utf-7", "cp037"]
)
def test_codecs_that_are_not_for_files_are_refused(codec: str) -> None:
    data = f'<?xml version="1.0" encoding="{codec}"?>{RD.format(title="T")}'.encode()
    fault = fault_of("/rds/q.rd", data)
    assert fault.code in {"E104", "E102"}
    assert fault.position.line == 1


def test_a_byte_that_is_not_of_its_encoding_is_shown() -> None:
    fault = fault_of("/rds/q.rd", "<resource>\n  é\n".encode() + b"<x>\xff</x><execute/></resource>")
    assert str(fault) == "/rds/q.rd:3:4: E104 byte 0xFF is not UTF-8"
    assert fault.excerpt.startswith("<x>")


def test_half_a_utf_16_character_is_told() -> None:
    assert fault_of("/rds/q.rd", RD.encode("utf-16")[:-1]).code == "E104"


def test_xml_1_1_is_taken() -> None:
    data = f'<?xml version="1.1"?>{RD.format(title="T")}'
    assert read_bytes(data.encode()).executes[0].title == "T"


def test_prefixes_need_not_be_declared_and_mean_nothing() -> None:
    data = (
        '<d:resource schema="x" resdir="."><e:execute at="1:00">'
        "<f:title>T</f:title><job><g:code>x = 1</g:code></job></e:execute></d:resource>"
    )
    rd = read_bytes(data.encode())
    assert (rd.executes[0].title, rd.executes[0].job.source) == ("T", "x = 1\n")


def test_namespaces_mean_nothing() -> None:
    data = RD.format(title="T").replace("<resource", '<resource xmlns="http://example.org/rd"')
    assert read_bytes(data.encode()).executes[0].title == "T"


def test_the_schema_may_be_named() -> None:
    data = '<?xml-model href="gavo-exec.rng"?>' + RD.format(title="T").replace(
        "<resource",
        '<resource xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="x.xsd"',
    ).replace("<execute", '<execute xsi:type="x" xml:space="preserve"')
    assert read_bytes(data.encode()).executes[0].title == "T"


def test_internal_entities_and_defaults_of_attributes_count() -> None:
    data = (
        '<!DOCTYPE resource [<!ENTITY t "A &#38;#38; B">'
        "<!ENTITY e \"<execute title='&t;' at='1:00'><job/></execute>\">"
        '<!ATTLIST execute debug CDATA "True">]><resource schema="x" resdir=".">&e;</resource>'
    )
    (execute,) = read_bytes(data.encode()).executes
    assert (execute.title, execute.debug) == ("A & B", True)


def test_a_doctype_in_a_comment_is_none() -> None:
    data = f'<!-- <!DOCTYPE resource SYSTEM "x.dtd"> -->{RD.format(title="T")}'
    assert read_bytes(data.encode()).executes[0].title == "T"


def quadratic() -> str:
    entity = f'<!ENTITY a "{"a" * 100_000}">'
    return f"<!DOCTYPE resource [{entity}]><resource><meta>{'&a;' * 10_000}</meta><execute/></resource>"


def laughing_attribute() -> str:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    return f'<!DOCTYPE resource [<!ENTITY l0 "ha">{entities}]><resource schema="&l11;"><execute/></resource>'


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (quadratic(), "E106"),
        (laughing_attribute(), "E106"),
        ("<resource>" + "<execute>" * 400_000, "E107"),
        ("<resource>" * 300 + "<execute/>" + "</resource>" * 300, "E107"),
        ('<!DOCTYPE r PUBLIC "-//X//Y" "http://example.org/x.dtd"><resource><execute/></resource>', "E105"),
        ('<!DOCTYPE r [<!ENTITY % p SYSTEM "http://example.org/p.ent"> %p;]><resource><execute/></resource>', "E105"),
        ('<!DOCTYPE r [<!ENTITY u SYSTEM "u.gif" NDATA gif>]><resource><execute/></resource>', "E105"),
        ('<!--a--><?b?>\n<!DOCTYPE r SYSTEM "file:///etc/passwd"><resource><execute/></resource>', "E105"),
        ("", "E102"),
        (" \n", "E102"),
        ("execute", "E102"),
        ("\x00" * 100, "E102"),
        ("<resource><execute/></resource>\x00", "E102"),
        ("<resource>", "E102"),
        ("<resource><execute></resource>", "E102"),
        ("<a" + "b" * 3_000_000 + ">", "E102"),
        ("&" * 1_000_000, "E102"),
        ("<resource><execute " + "a='' " * 200_000, "E102"),
    ],
    ids=lambda value: value[:30] if len(value) > 4 else value,
)
def test_harmful_xml_is_refused_with_one_line(data: str, code: str) -> None:
    assert fault_of("/rds/q.rd", data.encode()).code == code
