"""The reference page of elements."""

from gavo_exec.descriptor.elementpage import reference
from gavo_exec.elements import ELEMENTS


def section(name: str) -> str:
    """What the page says of an element."""
    _, _, rest = reference().partition(f"# {name}\n")
    return rest.partition("\n#")[0]


def test_every_element_has_its_section() -> None:
    assert [line.lstrip("# ") for line in reference().splitlines() if line.startswith("##")] == [
        *(spec.name for spec in ELEMENTS[:10]),
        "Active tags",
        *(spec.name for spec in ELEMENTS[10:]),
    ]


def test_words_to_choose_from_are_listed() -> None:
    assert "| `on` | `loaded` | one of at, every and on |" in section("execute")
    assert "| `type` | one of `t_t`, `apply`, " in section("job")


def test_what_can_be_given_by_reference_says_how() -> None:
    assert '`procDef="..."`' in section("job")
    assert "`<procDef>id</procDef>`" in section("job")


def test_elements_that_take_more_say_what() -> None:
    assert "is a macro of that name" in section("FEED")
    assert "any elements, active tags among them" in section("STREAM")
    assert "regular expression" in section("PRUNE")
    assert "Other elements may stand in it, and active tags." in section("resource")
    assert "may stand in it" not in section("execute")


def test_markdown_leaves_our_words_alone() -> None:
    assert "`__NULL__` means None" in section("property")
