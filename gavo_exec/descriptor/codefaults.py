"""What is wrong with Python code in RDs: what its parser says, and what cannot stand where the code goes."""

import ast
import re
import symtable
import warnings
from enum import Enum

import msgspec


class Body(Enum):
    """What code is the body of."""

    JOB = "a function of rd and execDef, whose value is of no use"
    SETUP = "a module"
    ITEMS = "a generator"


class CodeFault(msgspec.Struct, frozen=True):
    """Something wrong with code, as offsets in the text after expansion; ``parses`` tells that it is Python even so."""

    code: str
    message: str
    start: int
    end: int
    hint: str = ""
    parses: bool = False


def line_starts(text: str) -> list[int]:
    """The offset of each line."""
    return [0, *(found.end() for found in re.finditer("\n", text))]


def find_fault(code: str, *, body: Body) -> CodeFault | None:
    """What is wrong with the body of a function, or with setup code, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of "\d" is for the run to say
            tree = ast.parse(code)
    except SyntaxError as fault:
        starts = line_starts(code)

        def offset(line: int | None, column: int | None) -> int:
            at = starts[min(max(line or 1, 1), len(starts)) - 1]
            return min(at + max((column or 1) - 1, 0), len(code))

        start = offset(fault.lineno, fault.offset)
        end = offset(fault.end_lineno, fault.end_offset) if fault.end_offset else start + 1
        if isinstance(fault, IndentationError):
            start = offset(fault.lineno, 1)
            start += len(code) - start - len(code[start:].lstrip())
        hint = INDENTATION if str(fault.msg).startswith(("unindent", "unexpected indent")) else ""
        return CodeFault("E401", f"not valid Python: {fault.msg}", start, max(end, start + 1), hint)
    except (ValueError, RecursionError, MemoryError) as fault:
        return CodeFault("E401", f"not valid Python: {str(fault) or 'too deeply nested'}", 0, 1)
    if body is Body.ITEMS:
        return None
    return find_unfit(tree, code, body=body) or _find_misnamed(code, body)


def _find_misnamed(code: str, body: Body) -> CodeFault | None:
    """What is wrong with names that are global, nonlocal or arguments, which only the compiler sees."""
    if not _NAMING.search(code):
        return None
    indent = " " if body is Body.JOB else ""
    source = (
        f"def job(rd, execDef):\n{indent}" + code.replace("\n", f"\n{indent}") + f"\n{indent}pass" if indent else code
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(source, "", "exec")
    except SyntaxError as fault:
        starts = line_starts(code)
        line = min(max((fault.lineno or 1) - len(indent), 1), len(starts))
        start = min(starts[line - 1] + max((fault.offset or 1) - 1 - len(indent), 0), len(code))
        return CodeFault("E401", f"not valid Python: {fault.msg}", start, start + 1, parses=True)
    except (ValueError, RecursionError, MemoryError):
        return None  # the parser has taken it
    return None


INDENTATION = "all lines must begin with the white space that the first one has"
_UNFIT = re.compile(
    r"\b(?:return|yield|await|async|break|continue|nonlocal|__future__)\b|import\s*\(?\s*\*|\bexcept\s*:"
)
"""Words that may make what parses unfit for the body of a function."""
_NAMING = re.compile(r"\b(?:global|nonlocal|def|lambda)\b")
"""Words without which no name can be wrong."""
_NEW_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_LOOPS = (ast.For, ast.While, ast.AsyncFor)


def find_unfit(tree: ast.Module | ast.Expression, code: str, *, body: Body) -> CodeFault | None:
    """What Python's grammar lets pass and yet cannot stand in the body of a plain function, or in setup code."""
    if not _UNFIT.search(code):
        return None
    found: tuple[int, int, ast.stmt | ast.expr, tuple[str, str, str]] | None = None
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, in_loop = pending.pop()
        if isinstance(node, ast.stmt | ast.expr) and (problem := _problem(node, in_loop=in_loop, body=body)):
            here = (node.lineno, node.col_offset)
            found = min(found or (*here, node, problem), (*here, node, problem), key=lambda each: each[:2])
        if not isinstance(node, _NEW_FUNCTION):
            for name, value in ast.iter_fields(node):
                within = in_loop or (name == "body" and isinstance(node, _LOOPS))
                children = value if isinstance(value, list) else [value]
                pending += ((child, within) for child in children if isinstance(child, ast.AST))
    if found is None:
        return None
    _, _, node, (fault_code, message, hint) = found
    lines = code.split("\n")

    def offset(line: int, column: int) -> int:
        # The tree counts columns in bytes of UTF-8.
        before = sum(len(each) + 1 for each in lines[: line - 1])
        return before + len(lines[line - 1].encode()[:column].decode(errors="ignore"))

    start = offset(node.lineno, node.col_offset)
    end = offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset + 1)
    return CodeFault(fault_code, message, start, end, hint, parses=True)


def _problem(node: ast.stmt | ast.expr, *, in_loop: bool, body: Body) -> tuple[str, str, str] | None:
    """Why this cannot stand in the body of a plain function, or in setup code: code, message and hint."""
    if body is Body.SETUP:
        return _problem_of_setup(node, in_loop=in_loop)
    match node:
        case ast.Yield() | ast.YieldFrom():
            message = "the code has a yield, which makes it a generator: nothing of it would ever run"
            return "E402", message, "move the yield into a function of its own"
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            problem = "await and async need a function of their own", ""
        case ast.Break() | ast.Continue() if not in_loop:
            problem = f"{type(node).__name__.lower()} outside of a loop", "use return to end the job"
        case ast.Nonlocal():
            problem = "nonlocal has nothing to refer to", ""
        case ast.ImportFrom(module="__future__"):
            problem = "imports from __future__ are for the beginning of modules", "leave it out"
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            problem = "import * within a function", "name what you import"
        case ast.Try(handlers=[*handlers, _]) if any(handler.type is None for handler in handlers):
            problem = "except: must be the last of its kind", "put it behind the others"
        case _:
            return None
    return "E401", f"not valid Python: {problem[0]}", problem[1]


def _problem_of_setup(node: ast.stmt | ast.expr, *, in_loop: bool) -> tuple[str, str, str] | None:
    """Why this cannot stand in setup code, which is no function."""
    match node:
        case ast.Return() | ast.Yield() | ast.YieldFrom():
            return "E401", "not valid Python: return and yield need a function", "setup code is no function"
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return None
    return _problem(node, in_loop=in_loop, body=Body.JOB)
