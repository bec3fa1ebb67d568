"""What in job code comes out otherwise here than in DaCHS: only what is certain from the text itself."""

import ast
from collections.abc import Callable, Iterator

import msgspec

from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.model import Code, Execute

_MODULES = frozenset({"codetricks", "coords", "pgsphere", "pql", "sqlmunge", "stc", "MS"})
_CONNECTIONS = frozenset(
    {
        "getAdminConn",
        "getDBConnection",
        "getTableConn",
        "getUntrustedConn",
        "getWritableAdminConn",
        "getWritableTableConn",
        "getWritableUntrustedConn",
    }
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A difference in a line of code."""

    code: str
    line: int
    message: str
    hint: str


def notes_on_code(execute: Execute) -> Iterator[Diagnostic]:
    """What is to be said about an execute's code, setup first, each line once for each code."""
    trees = [(code, tree) for code in (*execute.job.setup, execute.job) if (tree := _parsed(code)) is not None]
    bound = {name for _, tree in trees for name in _bound(tree)}
    for code, tree in trees:
        seen: set[tuple[str, int]] = set()
        for found in _found(tree, bound):
            if (found.code, found.line) not in seen:
                seen.add((found.code, found.line))
                position = _position(code, found.line)
                yield Diagnostic(
                    code=found.code,
                    message=found.message,
                    position=position,
                    severity=Severity.NOTE,
                    hint=found.hint,
                )


def spawns(execute: Execute) -> bool:
    """Whether the execute's code starts programs."""
    trees = (_parsed(code) for code in (*execute.job.setup, execute.job))
    return any(
        isinstance(node, ast.Call) and _called(node) in {"spawn", "spawnPython"}
        for tree in trees
        if tree is not None
        for node in ast.walk(tree)
    )


def _parsed(code: Code) -> ast.Module | None:
    """The code's tree; the reader has refused what has none."""
    try:
        return ast.parse(code.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _position(code: Code, line: int) -> Position:
    """Where a line of code stands in its file."""
    number = code.lines[min(line, len(code.lines)) - 1] if code.lines else code.first_line + line - 1
    return Position(path=code.position.path, line=number, via=code.position.via)


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that code makes itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def _found(tree: ast.Module, bound: set[str]) -> Iterator[Found]:
    """The differences in a tree."""
    dropped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                if (look := _CALLS.get(_called(node))) is not None:
                    yield from look(node)
                if _called(node) == "spawnPython" and id(node) not in dropped:
                    yield _spawn_python_answers(node)
            case ast.Raise(exc=ast.Call(func=ast.Name(id="SystemExit")) as call):
                yield from _exit(call)
            case ast.Attribute(value=ast.Name(id="rd"), attr=name, ctx=ast.Store()):
                yield _shared(node, name)
            case ast.Import() | ast.ImportFrom():
                yield from _dachs_import(node)
            case ast.Name(id=name, ctx=ast.Load()) if name in _MODULES and name not in bound:
                yield _only_dachs(node, name)
            case ast.Attribute(value=ast.Name(id="base"), attr=name) if name in _CONNECTIONS and "base" not in bound:
                yield _connection(node, name)


def _called(call: ast.Call) -> str:
    """The function that is called, as far as anything here goes by it; empty for others."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="execDef" | "parent"), attr="spawn" | "spawnPython" as name):
            return name
        case ast.Attribute(value=ast.Name(id="utils"), attr="loadPythonModule" as name):
            return name
        case ast.Attribute(value=ast.Name(id="sys"), attr="exit" as name):
            return name
        case ast.Name(id="exit" | "quit"):
            return "exit"
        case ast.Name(id="loadPythonModule" as name):
            return name
    return ""


# Calls


def _spawn(call: ast.Call) -> Iterator[Found]:
    """``spawn`` of a string, and relative paths given to it."""
    if not call.args:
        return
    argument = call.args[0]
    if _is_text(argument):
        yield Found(
            code="N711",
            line=call.lineno,
            message="spawn is given a string: DaCHS looks for one program of that name and fails",
            hint="here it is split as a shell would; where DaCHS shall run it, too, write a list",
        )
    for path in _literals(argument):
        if "/" in path and not path.startswith(("/", "-", "~")) and "://" not in path:
            yield Found(
                code="N712",
                line=call.lineno,
                message=f"{path!r} counts from the server's working directory in DaCHS, from the resdir here",
                hint="write rd.getAbsPath(...), which means the same in both",
            )


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is certainly a string."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_text(left) or _is_text(right)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _is_text(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format" | "join")):
            return _is_text(value)
    return False


def _literals(node: ast.expr) -> Iterator[str]:
    """The words of a command that stand in the code as they are."""
    match node:
        case ast.List(elts=words) | ast.Tuple(elts=words):
            yield from (word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str))
        case ast.Constant(value=str(text)):
            yield from text.split()


def _spawn_python(call: ast.Call) -> Iterator[Found]:
    """``spawnPython``: another interpreter, and arguments."""
    yield Found(
        code="N713",
        line=call.lineno,
        message="spawnPython takes the python3 on the server's PATH in DaCHS, the interpreter of gavo-exec here",
        hint="install what the program imports there, or write spawn(['python3', rd.getAbsPath(...)])",
    )
    if len(call.args) > 1:
        yield Found(
            code="N714",
            line=call.lineno,
            message="spawnPython is given arguments, which DaCHS refuses with a TypeError",
            hint="where DaCHS shall run it, too, write spawn(['python3', rd.getAbsPath(...), ...])",
        )


def _spawn_python_answers(call: ast.Call) -> Found:
    """The result of ``spawnPython`` in use."""
    return Found(
        code="N714",
        line=call.lineno,
        message="the result of spawnPython is used: it is always None in DaCHS, the return code here",
        hint="0 is success here; look at what the code does with it",
    )


def _exit(call: ast.Call) -> Iterator[Found]:
    """An end of the job that DaCHS does not notice."""
    if call.args and not (isinstance(call.args[0], ast.Constant) and call.args[0].value in {0, None}):
        yield Found(
            code="N715",
            line=call.lineno,
            message="this ends the job unnoticed in DaCHS; here the run fails, and is mailed",
            hint="write return where it is no failure",
        )


def _load_module(call: ast.Call) -> Iterator[Found]:
    """A module by a path that DaCHS takes otherwise."""
    match call.args:
        case [ast.Constant(value=str(path)), *_] if path.endswith(".py"):
            message = f"loadPythonModule({path!r}) fails in DaCHS, which adds .py once more"
            hint = "here both ways work; where DaCHS shall run it, too, leave .py out"
        case [ast.Constant(value=str(path)), *_] if not path.startswith("/"):
            message = f"{path!r} counts from the server's working directory in DaCHS, from the resource directory here"
            hint = "write rd.getAbsPath(...), which means the same in both"
        case _:
            return
    yield Found(code="N718", line=call.lineno, message=message, hint=hint)


_CALLS: dict[str, Callable[[ast.Call], Iterator[Found]]] = {
    "spawn": _spawn,
    "spawnPython": _spawn_python,
    "exit": _exit,
    "loadPythonModule": _load_module,
}


# What only DaCHS's process has


def _connection(node: ast.Attribute, name: str) -> Found:
    return Found(
        code="N716",
        line=node.lineno,
        message=f"base.{name} is a connection of the DaCHS server, which jobs do not run in any more",
        hint="let the job open a connection of its own, or spawn a dachs command",
    )


def _only_dachs(node: ast.Name, name: str) -> Found:
    return Found(
        code="N716",
        line=node.lineno,
        message=f"{name} is there without import in DaCHS only",
        hint="run gavo-exec with a Python that has DaCHS, or import what the job needs of it in a program it spawns",
    )


def _dachs_import(node: ast.Import | ast.ImportFrom) -> Iterator[Found]:
    """An import of DaCHS itself."""
    if isinstance(node, ast.ImportFrom):
        names = [node.module or ""] if not node.level else []
    else:
        names = [alias.name for alias in node.names]
    if any(name.partition(".")[0] == "gavo" for name in names):
        yield Found(
            code="N716",
            line=node.lineno,
            message="gavo can be imported only where DaCHS is installed",
            hint="run gavo-exec with a Python that has DaCHS, or spawn a program that imports it",
        )


def _shared(node: ast.Attribute, name: str) -> Found:
    return Found(
        code="N717",
        line=node.lineno,
        message=f"rd.{name} is set: all that uses the RD sees it in DaCHS, only the jobs of this RD do so here",
        hint="what services need has to stay in DaCHS, or go through a file or the database",
    )
