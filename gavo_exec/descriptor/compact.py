"""RELAX NG in its compact syntax."""

from collections.abc import Iterable

from gavo_exec.descriptor.relaxng import DATATYPES, Pattern

_KEYWORDS = frozenset(
    {
        "attribute",
        "datatypes",
        "default",
        "div",
        "element",
        "empty",
        "external",
        "grammar",
        "include",
        "inherit",
        "list",
        "mixed",
        "namespace",
        "notAllowed",
        "parent",
        "start",
        "string",
        "text",
        "token",
    }
)
_PREFIXES = {"http://www.w3.org/XML/1998/namespace": "xml", "http://www.w3.org/2001/XMLSchema-instance": "xsi"}
_JOINTS = {"choice": " |", "interleave": " &", "group": ","}
_REPEATED = {"optional": "?", "zeroOrMore": "*", "oneOrMore": "+"}


def to_compact(grammar: Pattern) -> str:
    """The file in compact syntax."""
    lines = [f'datatypes xsd = "{DATATYPES}"']
    lines += [f'namespace {prefix} = "{name}"' for name, prefix in _PREFIXES.items()]
    for part in grammar.children:
        name = "start" if part.tag == "start" else _identifier(part.name)
        lines += ["", f"{name} =", *_indented(_body(part.children))]
    return "\n".join(lines) + "\n"


def _body(patterns: tuple[Pattern, ...]) -> list[str]:
    """The lines of what stands in braces or after an equals sign, where a combination needs no parentheses."""
    if len(patterns) > 1:
        return _joined(patterns, ",")
    pattern = patterns[0]
    return _joined(pattern.children, _JOINTS[pattern.tag]) if pattern.tag in _JOINTS else _lines(pattern)


def _joined(patterns: Iterable[Pattern], joint: str) -> list[str]:
    """The lines of these patterns with the joint between them."""
    lines: list[str] = []
    for pattern in patterns:
        if lines:
            lines[-1] += joint
        lines += _lines(pattern)
    return lines


def _lines(pattern: Pattern) -> list[str]:
    """The lines of a pattern that may stand beside others, or be repeated."""
    if pattern.tag in _REPEATED:
        lines = _lines(pattern.children[0])
        lines[-1] += _REPEATED[pattern.tag]
        return lines
    if pattern.tag in _JOINTS:
        return _enclosed("(", _joined(pattern.children, _JOINTS[pattern.tag]), ")")
    if pattern.tag in {"element", "attribute"}:
        head = f"{pattern.tag} {_names(pattern.children[0])} {{"
        lines = _enclosed(head, _body(pattern.children[1:]), "}")
        return [f"## {pattern.note}", *lines] if pattern.note else lines
    return [_simple(pattern)]


def _simple(pattern: Pattern) -> str:
    """A pattern that takes no others."""
    if pattern.tag == "data":
        return f"xsd:{pattern.name} {{ {''.join(f'{_param(each)} ' for each in pattern.children)}}}"
    if pattern.tag == "value":
        return f"xsd:{pattern.name} {_literal(pattern.text)}"
    return _identifier(pattern.name) if pattern.tag == "ref" else pattern.tag


def _param(pattern: Pattern) -> str:
    """A parameter of a data type."""
    return f"{pattern.name} = {_literal(pattern.text)}"


def _literal(text: str) -> str:
    """A text in quotes; a backslash is one, but for that in front of x and a brace, which no text of ours has."""
    return f'"{text}"'


def _names(names: Pattern) -> str:
    """A class of names."""
    if names.tag == "choice":
        return " | ".join(map(_names, names.children))
    if names.tag == "nsName":
        return f"{_PREFIXES[names.name]}:*"
    if names.tag == "anyName":
        excluded = [_names(each) for part in names.children for each in part.children]
        return "".join(["*", *(f" - ({each})" for each in excluded)])
    return _identifier(names.text)


def _identifier(name: str) -> str:
    """A name, told from the words of the syntax."""
    return f"\\{name}" if name in _KEYWORDS else name


def _enclosed(start: str, lines: list[str], end: str) -> list[str]:
    """The lines in braces or parentheses; on one line where they are short and have no notes."""
    blank = " " if end == "}" else ""
    whole = f"{start}{blank}{' '.join(map(str.strip, lines))}{blank}{end}"
    if len(whole) < 80 and not any(line.lstrip().startswith("##") for line in lines):
        return [whole]
    return [start, *_indented(lines), end]


def _indented(lines: list[str]) -> list[str]:
    """The lines further in."""
    return [f"  {line}" for line in lines]
