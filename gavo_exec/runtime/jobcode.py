"""Code in RDs to what Python runs: functions and modules whose tracebacks show the RD's own lines."""

import ast
import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from gavo_exec.errors import RunError
from gavo_exec.model import Code, Job

MAX_ITEMS = 10_000
"""How many items the code of one LOOP may make."""

JobFunction = Callable[[object, object], object]
"""Job code as a function of ``rd`` and ``execDef``."""


def make_function(job: Job, *, name: str, namespace: dict[str, object]) -> JobFunction:
    """Compile a job's code to a function with these globals; raises what compiling raises.

    Frames of the function name the RD's file and the lines there.
    """
    tree = ast.parse(job.source, filename=job.position.path)
    _move_lines(tree, job)
    function = _function(name, ("rd", "execDef"), tree.body, line=job.first_line)
    _run([function], job.position.path, namespace)
    _remember_lines(job)
    return namespace.pop(name)  # type: ignore[return-value]


def run_setup(parts: Sequence[Code], namespace: dict[str, object]) -> None:
    """Run setup code, one part after the other, as a module with these globals; raises what it raises.

    Frames name the file that the part stands in, and the lines there.
    """
    for part in parts:
        tree = ast.parse(part.source, filename=part.position.path)
        _move_lines(tree, part)
        _remember_lines(part)
        _run(tree.body, part.position.path, namespace)


def run_items(code: Code, names: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The items that the code makes, which is the body of a generator with these names.

    Raises what the code raises; TypeError where it yields no dictionaries by texts, or nothing at all; RunError where
    there are more than MAX_ITEMS.  Frames name the file and the lines there.
    """
    path = code.position.path
    tree = ast.parse(code.source, filename=path)
    _move_lines(tree, code)
    function = _function("codeItems", tuple(names), tree.body, line=code.first_line)
    namespace: dict[str, object] = {"__name__": "items"}
    _run([function], path, namespace)
    _remember_lines(code)
    made = namespace["codeItems"](*names.values())  # type: ignore[operator]
    if not isinstance(made, Iterator):
        raise TypeError("the code does not yield anything, so there are no items")
    for item in islice(made, MAX_ITEMS):
        if not isinstance(item, Mapping) or not all(isinstance(name, str) for name in item):
            raise TypeError(f"an item is not a dictionary by names: {item!r:.200}")
        yield item
    for _ in made:
        raise RunError(f"the code yields more than {MAX_ITEMS:,} items")


def _function(name: str, arguments: Sequence[str], body: list[ast.stmt], *, line: int) -> ast.FunctionDef:
    """A function with this body: a tree, since indenting its text would change strings of several lines."""
    return ast.FunctionDef(
        name=name,
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=argument) for argument in arguments],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=body or [ast.Pass()],
        decorator_list=[],
        lineno=line,
        col_offset=0,
        end_lineno=line,
        end_col_offset=0,
    )


def _run(statements: Sequence[ast.stmt], path: str, namespace: dict[str, object]) -> None:
    """Run statements as a module with these globals."""
    module = ast.fix_missing_locations(ast.Module(body=list(statements), type_ignores=[]))
    exec(compile(module, path, "exec", dont_inherit=True), namespace)  # noqa: S102 -- RDs are code


def _move_lines(tree: ast.AST, code: Code) -> None:
    """Let the nodes say where their code stands in the RD."""
    shift = code.first_line - 1
    if not code.lines:
        if shift:
            ast.increment_lineno(tree, shift)
        return
    for node in ast.walk(tree):
        for attribute in ("lineno", "end_lineno"):
            line = getattr(node, attribute, None)
            if line is not None:
                setattr(node, attribute, code.lines[min(line, len(code.lines)) - 1])


def _remember_lines(code: Code) -> None:
    """Let tracebacks show the code as it was loaded, even after the file has changed.

    The entry has no modification time, so that linecache does not check it against the file.
    """
    path = code.position.path
    source = code.source.removesuffix("\n").split("\n")  # other line ends are none for Python
    numbers = code.lines or range(code.first_line, code.first_line + len(source))
    entry = linecache.cache.get(path)
    lines = list(entry[2]) if entry is not None and len(entry) == 4 and entry[1] is None else []
    lines.extend("\n" for _ in range(max(numbers, default=0) - len(lines)))
    for number, line in zip(numbers, source, strict=False):
        lines[number - 1] = f"{line}\n"
    linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
