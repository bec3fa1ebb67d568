"""Macro expansion."""

import pytest

from gavo_exec.macros import STANDARD, Macro, MacroError, expand


def fail() -> str:
    raise MacroError("has no value today", hint="try tomorrow")


MACROS = {
    **STANDARD,
    "rdId": Macro(function=lambda: "a/b/q"),
    "two_lines": Macro(function=lambda: "x\ny"),
    "empty": Macro(function=str),
    "join": Macro(function=lambda *parts: "-".join(parts), most=None),
    "backslash": Macro(function=lambda: "\\rdId"),
    "fails": Macro(function=fail),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no macro at all", "no macro at all"),
        (r"\rdId", "a/b/q"),
        (r"<\rdId>", "<a/b/q>"),
        (r"\rdId{", "a/b/q{"),
        (r"\empty", ""),
        (r"\join{a}{b}", "a-b"),
        ("\\join{a} \t{b}", "a-b"),
        ("\\join{a}\n{b}", "a\n{b}"),
        (r"\join {a}", " {a}"),
        (r"\join{a}  b", "a  b"),
        (r"\join{}{}", "-"),
        (r"\join{a{b}", "a{b"),
        (r"\join{\{a\}}", "{a}"),
        ("\\join{a\nb}", "a\nb"),
        (r"\join{a  \rdId}", "a  a/b/q"),
        ("\\join{ \t\\rdId  \\rdId x}", "a/b/qa/b/q x"),
        ("\\join{\n \\rdId}", "\n a/b/q"),
        (r"\join{a\+}", r"{a}"),
        (r"\join{a\\}", "{a\\}"),
        (r"\join{\join{a}{b}}{\upper{c}}", "a-b-C"),
        (r"\join{\d+}", r"\d+"),
        (r"\join{open", "{open"),
        (r"\join{a}{open", "a{open"),
        (r"\backslash", r"\rdId"),
        (r"\\rdId", r"\rdId"),
        (r"\\\rdId", "\\a/b/q"),
        (r"\rdId\+s", "a/b/qs"),
        (r"\+", ""),
        ("a\\\nb", "a b"),
        ("a\\", "a\\"),
        (r"\n \d+ \' \" \0", r"\n \d+ \' \" \0"),
        (r"\{ \} }", r"\{ \} }"),
        (r"\upper{ab}\lower{AB}\decapitalize{ABC}\decapitalize{}", "ABabaBC"),
        (r"""\quote{a"b}""", r'''"a\"b"'''),
        (r"\sqlquote{O'Neill}", "'O''Neill'"),
        (r"\sqlquote{NULL}", "NULL"),
        (r"\urlquote{a b/c?d}", "a%20b/c%3Fd"),
        (r"\reSub{[ab]}{x}{cab}", "cxx"),
        (r"\magicEmpty{}\magicEmpty{a}", "__EMPTY__a"),
        (r"\test", "test macro expansion"),
        (r"\test{a}{b}", "test macro expansion"),
    ],
)
def test_text_is_expanded(text: str, expected: str) -> None:
    expansion = expand(text, MACROS)
    assert expansion.text == expected
    assert expansion.faults == ()


@pytest.mark.parametrize(
    ("text", "spans", "message", "hint"),
    [
        (
            r"a \rdID b",
            [(2, 7)],
            r"there is no macro \rdID",
            r"did you mean \rdId? for a plain backslash before a name, double it: \\rdID",
        ),
        (r"\nfoo{x}", [(0, 5)], r"there is no macro \nfoo", r"for a plain backslash before a name, double it: \\nfoo"),
        (r"\upper", [(0, 6)], r"the macro \upper takes 1 argument, not 0", ""),
        (r"\reSub{a}", [(0, 6)], r"the macro \reSub takes 3 arguments, not 1", ""),
        (r"\fails", [(0, 6)], r"the macro \fails has no value today", "try tomorrow"),
        (
            r"\reSub{(}{}{}",
            [(0, 6)],
            r"the macro \reSub cannot use the pattern '(': missing ), unterminated subpattern at position 0",
            "",
        ),
        (
            r"\upper{\nofoo}",
            [(7, 13)],
            r"there is no macro \nofoo",
            r"for a plain backslash before a name, double it: \\nofoo",
        ),
    ],
)
def test_a_call_without_a_value_is_told(text: str, spans: list[tuple[int, int]], message: str, hint: str) -> None:
    faults = expand(text, MACROS).faults
    assert [(fault.start, fault.end) for fault in faults] == spans
    assert (faults[0].message, faults[0].hint) == (message, hint)


def test_a_call_without_a_value_stays_as_it_is() -> None:
    assert expand(r"a \nofoo{x} \rdId", MACROS).text == r"a \nofoo{x} a/b/q"


def test_only_unknown_macros_have_a_name() -> None:
    faults = expand(r"\nofoo \upper", MACROS).faults
    assert [fault.unknown for fault in faults] == ["nofoo", ""]


def test_each_offset_of_the_result_has_an_origin() -> None:
    expansion = expand("ab\\rdId\\\\c\\\nd", MACROS)
    assert expansion.text == "aba/b/q\\c d"
    origins = [expansion.origin(offset) for offset in range(len(expansion.text))]
    assert origins == [0, 1, 2, 2, 2, 2, 2, 7, 9, 10, 12]


@pytest.mark.parametrize(
    ("text", "keeps"),
    [("a\nb", True), ("\\rdId\n", True), ("\\two_lines", False), ("a\\\nb", False), ("\\join{a\nb}", False)],
)
def test_an_expansion_knows_whether_lines_came_or_went(text: str, keeps: bool) -> None:
    assert expand(text, MACROS).keeps_lines is keeps


def test_glue_is_stray_unless_it_ends_a_call() -> None:
    assert expand(r"\rdId\+ \join{a}\+ \d\+", MACROS).stray_glue == (21,)


def test_calls_nested_too_deeply_are_a_fault() -> None:
    text = r"\upper{" * 30 + "x" + "}" * 30
    assert "nested more than 20 deep" in expand(text, MACROS).faults[0].message


def test_values_have_a_bound() -> None:
    quotes = r"\sqlquote{" * 18 + "'" * 100 + "}" * 18
    assert "more than a megabyte" in expand(quotes, MACROS).faults[0].message
