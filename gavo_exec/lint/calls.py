"""The rules about calls: each is found by the dotted name of the function that is called."""

# ruff: noqa: PTH113, PTH118 -- paths are strings in this house

import ast
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping

from gavo_exec.lint.view import Finding, Mend, View

CallRule = Callable[[ast.Call, View], Iterator[Finding]]

_LONG_SECONDS = 10
_SPAWN_HINT = "use execDef.spawn([...]): its output is kept and mailed, in bounds, and it is ended with the run"


def _literal(node: ast.expr) -> str | None:
    """The text of a literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _path(node: ast.expr, view: View, *, relative_to: str) -> str | None:
    """The path that an expression certainly is; None where it is not certain."""
    if (text := _literal(node)) is not None:
        return os.path.join(relative_to, text)
    if not isinstance(node, ast.Call):
        return None
    match view.dotted(node.func), node.args:
        case "rd.getAbsPath", [path]:
            parts = [_literal(path)]
        case "os.path.join", [ast.Attribute() as first, *rest] if view.dotted(first) == "rd.resdir":
            parts = [_literal(part) for part in rest]
        case _:
            return None
    known = [part for part in parts if part is not None]
    return os.path.join(view.resdir, *known) if len(known) == len(parts) else None


def _spawn(call: ast.Call, view: View) -> Iterator[Finding]:
    """A program that cannot be started."""
    if not view.resdir or not call.args:
        return
    match call.args[0]:
        case ast.List(elts=[node, *_]) | ast.Tuple(elts=[node, *_]):
            program = _literal(node)
            whole = True
        case node:
            program = _first_word(_literal(node))
            whole = program == _literal(node)
    if not program or "\0" in program:
        return
    path = os.path.join(view.resdir, program)
    if "/" in program:
        if not os.path.isfile(path):
            yield Finding("W601", f"there is no program {path}", node, "relative paths count from the resdir")
        elif not os.access(path, os.X_OK):
            yield Finding("W601", f"{path} is not executable", node, "chmod +x it, or run it with its interpreter")
    elif shutil.which(program) is None:
        if os.path.isfile(path):
            hint = f"for that in the resdir, write ./{program}"
            fix = _in_place(program) if whole else None
            yield Finding("W601", f"{program} is not on PATH", node, hint, fix=fix)
        else:
            yield Finding("W601", f"{program} is not on PATH", node, "install it, or write its whole path")


def _in_place(program: str) -> Mend:
    """The mend for a program that stands in the resdir itself."""
    return lambda text: text.replace(program, f"./{program}", 1)


def _in_resdir(text: str) -> str:
    """The mend for a literal that is to count from the resdir."""
    return f"rd.getAbsPath({text})"


def _first_word(line: str | None) -> str | None:
    """The program in a command line."""
    try:
        words = shlex.split(line) if line else []
    except ValueError:
        return None
    return words[0] if words else None


def _spawn_python(call: ast.Call, view: View) -> Iterator[Finding]:
    """A Python program that is not there."""
    path = _path(call.args[0], view, relative_to=view.resdir) if view.resdir and call.args else None
    if path is not None and not os.path.isfile(path):
        hint = "relative paths count from the resdir"
        yield Finding("W602", f"there is no Python program {path}", call.args[0], hint)


def _load_module(call: ast.Call, view: View) -> Iterator[Finding]:
    """A module that is not there."""
    if not view.resdir or not call.args:
        return
    node = call.args[0]
    path = _path(node, view, relative_to=view.inputs_dir)
    if path is None or _is_module(path):
        return
    text = _literal(node)
    fix = None
    hint = "rd.getAbsPath(...) counts from the resdir, a relative path alone from the resource directory"
    if text is not None and _is_module(os.path.join(view.resdir, text)):
        fix = _in_resdir
        hint = f"write rd.getAbsPath({ast.unparse(node)})"
    yield Finding("W603", f"there is no module {path.removesuffix('.py')}.py", node, hint, fix=fix)


def _is_module(path: str) -> bool:
    """Whether a module can be loaded from this path, with or without ``.py``."""
    return (path.endswith(".py") and os.path.isfile(path)) or os.path.isfile(f"{path}.py")


def _sleep(call: ast.Call, _view: View) -> Iterator[Finding]:
    """Long waiting."""
    seconds = _number(call.args[0]) if len(call.args) == 1 else None
    if seconds is not None and seconds >= _LONG_SECONDS:
        yield Finding(
            "W604",
            f"the job waits for {seconds:g} seconds, and keeps a worker from other jobs",
            call,
            "let the schedule wait: return, and look again at the next run",
        )


def _number(node: ast.expr) -> float | None:
    """The number that literals and their products are."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = _number(left), _number(right)
            return None if factors[0] is None or factors[1] is None else factors[0] * factors[1]
    return None


def _told(code: str, message: str, hint: str) -> CallRule:
    """The rule that such calls are a mistake whatever is in them."""

    def rule(call: ast.Call, _view: View) -> Iterator[Finding]:
        yield Finding(code, f"{ast.unparse(call.func)} {message}", call.func, hint)

    return rule


_shared = _told("W605", "changes the whole daemon, all other jobs in it, too", "keep to what is the job's own")
_directory = _told(
    "W605",
    "moves the whole daemon, all other jobs in it, too",
    "use rd.getAbsPath(...) for files; children run in the resdir anyway",
)
_environment = _told(
    "W605",
    "changes the environment of the whole daemon",
    'for a child, spawn ["env", "NAME=value", "program"]',
)
_process = _told("W606", "acts on the whole daemon, not on this job", "for work beside the daemon, use execDef.spawn")
_signals = _told("W607", "is for the main thread alone, and jobs run in others", "handle signals in a child of its own")


def _exit(call: ast.Call, view: View) -> Iterator[Finding]:
    """An end by exception where ``return`` is meant, or a failure without a word."""
    yield exit_finding(call, call.args, fix=(lambda _: "return") if view.ends_function(call) else None)


def exit_finding(node: ast.Call | ast.Raise, args: list[ast.expr], *, fix: Mend | None = None) -> Finding:
    """What to say about an exit with these arguments."""
    match args:
        case [] | [ast.Constant(value=None | 0)]:
            return Finding("W608", "this ends the run as a good one, as return does", node, "write return", fix=fix)
        case [ast.Constant()]:
            message = "this makes the run a failed one, and the daemon goes on"
        case _:
            message = "anything but 0 or None here makes the run a failed one, and the daemon goes on"
    hint = 'raise base.ReportableError("what is wrong") to fail, and use return to end'
    return Finding("W608", message, node, hint)


def _system(call: ast.Call, _view: View) -> Iterator[Finding]:
    """A child that nobody knows of."""
    yield Finding(
        "W609", f"what {ast.unparse(call.func)} starts is not the daemon's child to know of", call.func, _SPAWN_HINT
    )


def _subprocess(call: ast.Call, view: View) -> Iterator[Finding]:
    """The same, unless the output is wanted, which ``spawn`` does not answer, or there is input."""
    words = {keyword.arg for keyword in call.keywords}
    if not words & {None, "stdout", "stdin", "input", "capture_output", "env"}:
        yield from _system(call, view)


_WAITING = frozenset({"join", "wait", "result", "shutdown"})
"""Methods with which job code may be waiting for threads."""


def _thread(call: ast.Call, view: View) -> Iterator[Finding]:
    """A thread that nobody waits for."""
    if not view.methods & _WAITING:
        yield Finding(
            "W616",
            "nothing waits for this thread: the run ends without it, and what goes wrong in it is in no mail",
            call.func,
            "join() it, or make it an execute of its own",
        )


def _waiting(position: int | None) -> CallRule:
    """The rule for what waits for ever unless it is given a timeout, by its name or at this position."""

    def rule(call: ast.Call, view: View) -> Iterator[Finding]:
        words = {keyword.arg for keyword in call.keywords}
        is_given = bool(words & {"timeout", None}) or any(isinstance(arg, ast.Starred) for arg in call.args)
        if is_given or (position is not None and len(call.args) > position):
            return
        if position is not None and "socket.setdefaulttimeout" in view.called:
            return
        target = _literal(call.args[0]) if call.args else None
        if not (call.args or words) or (target or "").startswith(("file:", "data:")):
            return
        message = f"{ast.unparse(call.func)} may wait for ever, and keeps the job from running again"
        yield Finding("W612", message, call.func, "give it a timeout, in seconds: timeout=60")

    return rule


def _relative(call: ast.Call, view: View) -> Iterator[Finding]:
    """A path that counts from wherever the daemon was started."""
    path = _literal(call.args[0]) if call.args else None
    if not path or path.startswith("/") or "os.chdir" in view.called:
        return
    node = call.args[0]
    message = f"{path!r} counts from where the daemon was started, not from the resdir"
    yield Finding("W613", message, node, f"write rd.getAbsPath({ast.unparse(node)})", fix=_in_resdir)


_PATHS = ("exists", "isfile", "isdir", "getmtime", "getsize")
_FILES = ("listdir", "scandir", "mkdir", "makedirs", "remove", "unlink", "rmdir", "rename", "replace", "stat")
_PATH_TAKERS = (
    *("open", "io.open", "gzip.open", "codecs.open", "glob.glob", "glob.iglob"),
    *("shutil.rmtree", "shutil.move", "shutil.copy"),
    *(f"os.path.{name}" for name in _PATHS),
    *(f"os.{name}" for name in _FILES),
)
_REQUESTS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_EXECS = ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe")
_ENVIRONMENT = ("environ.update", "environ.setdefault", "environ.pop", "environ.clear", "putenv", "unsetenv")

CALLS: Mapping[str, CallRule] = {
    "execDef.spawn": _spawn,
    "parent.spawn": _spawn,
    "execDef.spawnPython": _spawn_python,
    "parent.spawnPython": _spawn_python,
    "utils.loadPythonModule": _load_module,
    "loadPythonModule": _load_module,
    "time.sleep": _sleep,
    "os.chdir": _directory,
    "os.fchdir": _directory,
    **dict.fromkeys((f"os.{name}" for name in _ENVIRONMENT), _environment),
    "os.umask": _shared,
    "locale.setlocale": _shared,
    "socket.setdefaulttimeout": _shared,
    "time.tzset": _shared,
    "contextlib.redirect_stdout": _shared,
    "contextlib.redirect_stderr": _shared,
    **dict.fromkeys((f"os.{name}" for name in ("fork", "forkpty", "_exit", "abort", *_EXECS)), _process),
    **dict.fromkeys((f"signal.{name}" for name in ("signal", "alarm", "setitimer")), _signals),
    **dict.fromkeys(("sys.exit", "exit", "quit"), _exit),
    "os.system": _system,
    **dict.fromkeys((f"subprocess.{name}" for name in ("call", "check_call", "run", "Popen")), _subprocess),
    "threading.Thread": _thread,
    "urllib.request.urlopen": _waiting(2),
    "socket.create_connection": _waiting(1),
    **dict.fromkeys((f"requests.{name}" for name in _REQUESTS), _waiting(None)),
    **dict.fromkeys(_PATH_TAKERS, _relative),
}
"""By the dotted name of what is called: the rule for it."""
