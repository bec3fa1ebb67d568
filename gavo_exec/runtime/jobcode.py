"""Job source to a function whose tracebacks show the RD's own lines."""

import ast
import linecache
from collections.abc import Callable

from gavo_exec.model import Job

JobFunction = Callable[[object, object], object]
"""Job code as a function of ``rd`` and ``execDef``."""


def make_function(job: Job, *, name: str, namespace: dict[str, object]) -> JobFunction:
    """Compile a job's code to a function with these globals; raises what compiling raises.

    Frames of the function name the RD's file and the lines there.
    """
    path = job.position.path
    tree = ast.parse(job.source, filename=path)
    _move_lines(tree, job)
    function = ast.FunctionDef(
        name=name,
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg="rd"), ast.arg(arg="execDef")],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        # The body is put into the function as a tree: indenting its text would change strings of several lines.
        body=tree.body or [ast.Pass()],
        decorator_list=[],
        lineno=job.first_line,
        col_offset=0,
        end_lineno=job.first_line,
        end_col_offset=0,
    )
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    exec(compile(module, path, "exec", dont_inherit=True), namespace)  # noqa: S102 -- RDs are code
    _remember_lines(job)
    return namespace.pop(name)  # type: ignore[return-value]


def _move_lines(tree: ast.AST, job: Job) -> None:
    """Let the nodes say where their code stands in the RD."""
    shift = job.first_line - 1
    if not job.lines:
        if shift:
            ast.increment_lineno(tree, shift)
        return
    for node in ast.walk(tree):
        for attribute in ("lineno", "end_lineno"):
            line = getattr(node, attribute, None)
            if line is not None:
                setattr(node, attribute, job.lines[min(line, len(job.lines)) - 1])


def _remember_lines(job: Job) -> None:
    """Let tracebacks show the code as it was loaded, even after the file has changed.

    The entry has no modification time, so that linecache does not check it against the file.
    """
    path = job.position.path
    source = job.source.splitlines()
    numbers = job.lines or range(job.first_line, job.first_line + len(source))
    entry = linecache.cache.get(path)
    lines = list(entry[2]) if entry is not None and len(entry) == 4 and entry[1] is None else []
    lines.extend("\n" for _ in range(max(numbers, default=0) - len(lines)))
    for number, line in zip(numbers, source, strict=False):
        lines[number - 1] = f"{line}\n"
    linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
