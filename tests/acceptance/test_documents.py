"""The examples in the documents are true: each page is followed step by step, by a reader who types what it says.

A block's language says what it is; docs/contributing.md has the list.
"""

import ast
import configparser
import difflib
import itertools
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, NamedTuple

import click
import pytest

from gavo_exec.cli.app import group
from gavo_exec.descriptor import read
from gavo_exec.errors import GavoExecError
from gavo_exec.schedule import Window, narrowed, parse_at, parse_expressions
from gavo_exec.settings import Settings, load

ROOT = Path(__file__).parent.parent.parent
HOME = "/home/ana"
"""Where the reader in the documents works."""

PATIENCE_SECONDS = 20.0
READING = frozenset({"check", "explain", "list", "next", "history", "show", "simulate", "mail"})
"""Commands that may be given again until they show what has just happened."""

ELSEWHERE = frozenset(
    {
        "pip",
        "make",
        "python3",
        "systemctl",
        "journalctl",
        "useradd",
        "crontab",
        "xmllint",
        "cp",
        "mkdir",
        "apt",
        "ln",
        "rm",
        "ssh",
        "curl",
    }
)
"""What may stand in blocks that are only looked at."""


# What is in a page


class Block(NamedTuple):
    """A fenced block: its language and what else its fence says, and the file that the line before it says it is."""

    line: int
    language: str
    options: tuple[str, ...]
    lines: tuple[str, ...]
    name: str

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def blocks(text: str) -> Iterator[Block]:
    before = ""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if opening := re.fullmatch(r"```(\S*)(.*)", line):
            content: list[str] = []
            for _, inner in lines:
                if inner == "```":
                    break
                content.append(inner)
            else:
                raise AssertionError(f"the block of line {number} does not end")
            named = re.search(r"`([^`\s]+)`:$", before)
            name = named[1] if named else ""
            yield Block(number, opening[1], tuple(opening[2].split()), tuple(content), name)
            before = ""
        elif line:
            assert not line.startswith("    "), f"line {number}: a block without a fence: it has no language"
            before = line


def pages() -> list[Path]:
    """All documents that are written by hand."""
    derived = ROOT / "docs" / "reference"
    written = [page for page in (ROOT / "docs").rglob("*.md") if derived not in page.parents]
    return sorted([*ROOT.glob("*.md"), *written, *(ROOT / "examples").rglob("*.md")])


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


WITH_BLOCKS = [pytest.param(page, id=named(page)) for page in pages() if "```" in page.read_text(encoding="utf-8")]


# What the documents show, as patterns of what there may be


VARYING = (
    r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)",
    r"(?P<run>\d{12}-[0-9a-f]+-\d+)",
    r"(?P<pid>(?<=process )\d+)",
    r"(?P<took>\d+\.\d+ s|\d+ (?:d|h|min) \d+ (?:h|min|s)|(?<=min\) )\d+ s)",
    r"(?P<any>\.\.\.)",
    r"(?P<blanks>\s+)",
)
STANDS_FOR = {
    "stamp": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "run": r"\d{12}-[0-9a-f]+-\d+",
    "pid": r"\d+",
    "took": r"(?:[\d.e-]+ s|\d+ (?:d|h|min)(?: \d+ (?:h|min|s))?)",
    "any": ".*?",
    "blanks": r"\s+",
}
TOKEN = re.compile("|".join(VARYING))


def pattern_of(line: str) -> str:
    """A line as shown: instants, durations, run ids and widths of columns vary, ``...`` is anything."""
    pieces: list[str] = []
    end = 0
    for token in TOKEN.finditer(line):
        pieces += (re.escape(line[end : token.start()]), STANDS_FOR[str(token.lastgroup)])
        end = token.end()
    return "".join([*pieces, re.escape(line[end:]), r"[ ]*"])


def is_shown(shown: list[str], actual: str) -> bool:
    """Whether the output is what is shown, line by line; a line of dots is any number of lines."""
    patterns = [r"(?:.*\n)*?" if line.strip() == "..." else f"{pattern_of(line)}\n" for line in shown]
    return re.fullmatch("".join(patterns), actual.rstrip() + "\n" if actual.strip() else "") is not None


class Exchange(NamedTuple):
    """A command in a console and what it shows."""

    command: str
    shown: list[str]


def exchanges(block: Block) -> list[Exchange]:
    found: list[Exchange] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Exchange(line[2:], []))
        else:
            assert found, f"line {block.line}: a console begins with a command"
            found[-1].shown.append(line)
    return found


# The reader


class Reader:
    """Somebody at a terminal, with an empty home directory but for a checkout that holds the examples."""

    def __init__(self, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = site
        self.home = site.folder / "home"
        self.daemon: Any = None
        self.patience_seconds = PATIENCE_SECONDS
        self.mark = 0  # how much the daemon had said before the present step
        self._chdir = monkeypatch.chdir
        self._make_checkout(self.home / "gavo-exec")
        site.program("gavo-exec", f'exec {shlex.quote(sys.executable)} -m gavo_exec "$@"')
        outside = {name: text for name, text in site.env.items() if not name.startswith(("GAVO_EXEC_", "XDG_"))}
        ours = {"HOME": str(self.home), "LOGNAME": "ana", "GAVO_EXEC_HOST": "vo", "LC_ALL": "C.UTF-8"}
        site.env = outside | ours
        self._chdir(self.home)

    def _make_checkout(self, folder: Path) -> None:
        copytree(ROOT / "examples", folder / "examples", ignore=ignore_patterns("data", "out", "__pycache__"))
        activate = folder / ".venv" / "bin" / "activate"
        activate.parent.mkdir(parents=True)
        activate.write_text("")  # the command is on the path anyway

    def follow(self, page: Path) -> None:
        """Do all that a page says."""
        self.follow_text(page.read_text(encoding="utf-8"), page)

    def follow_text(self, text: str, page: Path) -> None:
        """Do all that the text of a page says: from home or, where it says so, in a checkout."""
        if re.search(r"\b[Ii]n a checkout\b", text):
            self._chdir(self.home / "gavo-exec")
        for block in blocks(text):
            try:
                self.take(block)
            except AssertionError as fault:
                raise AssertionError(f"{named(page)}:{block.line}: {fault}") from fault
        if self.daemon is not None:
            assert self.daemon.end() == 0

    def take(self, block: Block) -> None:
        """Do what a block says."""
        if block.name:
            self._step()
            self.save(block)
        deeds: dict[tuple[str, ...], Callable[[Block], object]] = {
            ("sh",): self.type_all,
            ("sh", "not-run"): must_be_understood,
            ("console",): self.converse,
            ("log",): self.hear,
            ("xml",): lambda block: must_be_an_rd(block.text, self.site.folder, self.home / block.name),
            ("python",): lambda block: ast.parse(block.text),
            ("toml",): lambda block: must_be_settings(block.text, self.site.folder),
            ("ini",): lambda block: parsed_unit(block.text),
            ("json",): lambda block: json.loads(block.text),
            ("text",): lambda _: None,
            ("csv",): lambda _: None,
            ("yaml",): must_call_what_is_there,
        }
        kind = (block.language, *block.options)
        assert kind in deeds, f"nobody knows what to do with a block of {' '.join(kind)!r}"
        deeds[kind](block)

    def _step(self) -> None:
        if self.daemon is not None:
            self.mark = len(self.daemon.lines)

    def real(self, text: str) -> str:
        """What the documents show, where it is in our case."""
        return text.replace(f"{HOME}/.venv/bin/python", sys.executable).replace(HOME, str(self.home))

    def save(self, block: Block) -> None:
        """Save a file, as editors do: aside, then renamed; those of the system go into a folder of their own."""
        name = block.name
        path = Path(self.real(name) if name.startswith(HOME) or name[0] != "/" else f"{self.site.folder}/machine{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(block.text, encoding="utf-8")
        aside.rename(path)

    def type_all(self, block: Block) -> None:
        """Type commands that are to go well."""
        for line in block.lines:
            self.type(line)

    def type(self, line: str) -> None:
        """Type a command that is to go well."""
        command = without_comment(line)
        if not command:
            return
        self._step()
        if (words := shlex.split(recipe(command)))[:2] == ["gavo-exec", "serve"]:
            assert self.daemon is None, "there is a daemon already"
            self.daemon = self.site.serve(*words[2:])
            self.mark = 0
            return
        code, said = self.run(command)
        assert code == 0, f"{command}: exit {code}\n{said}"

    def converse(self, block: Block) -> None:
        """Type commands and see what is shown."""
        for exchange in exchanges(block):
            self.exchange(exchange)

    def exchange(self, exchange: Exchange) -> None:
        """Type a command and see what is shown."""
        self._step()
        shown = [self.real(line) for line in exchange.shown]
        words = exchange.command.split()
        is_reading = words[0] in ("cat", "ls") or (words[0] == "gavo-exec" and words[1] in READING)
        answers = {0, 1} if words[0] == "gavo-exec" and words[1] in ("check", "execute") else {0}
        said = ""

        def fits() -> bool:
            nonlocal said
            code, said = self.run(exchange.command)
            return code in answers and is_shown(shown, said)

        try:
            if is_reading:
                self.site.eventually(fits, within=self.patience_seconds)
            else:
                assert fits()
        except AssertionError:
            diff = "\n".join(difflib.ndiff(shown, said.splitlines()))
            raise AssertionError(f"{exchange.command} shows something else:\n{diff}") from None

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; where it leaves the shell, and with which variables, holds for those after it."""
        state = self.site.folder / "shell"
        script = f"{command}\nstatus=$?\n{{ pwd && env -0; }} >{shlex.quote(str(state))}\nexit $status\n"
        done = subprocess.run(
            ["sh", "-c", script],
            env=self.site.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        folder, _, variables = state.read_text().partition("\n")
        self._chdir(folder)
        self.site.env = dict(item.split("=", 1) for item in variables.split("\0") if "=" in item)
        said = done.stdout.decode()
        assert "gavo_exec/" not in said, said  # no traceback through the program itself
        return done.returncode, said

    def hear(self, block: Block) -> None:
        """Wait until the daemon has said these, in any order, since the last step; ``^C`` ends it."""
        assert self.daemon is not None, "no daemon runs here"
        daemon = self.daemon
        for line in block.lines:
            if line == "^C":
                self._step()
                assert daemon.end(signal.SIGINT) == 0
                self.daemon = None
            else:
                self._hear(line, daemon)

    def _hear(self, line: str, daemon: Any) -> None:
        """Wait until the daemon has said this since the last step."""
        wanted = re.compile(pattern_of(self.real(line)) + r"\n")

        def is_said() -> bool:
            return any(map(wanted.fullmatch, daemon.lines[self.mark :]))

        try:
            self.site.eventually(is_said, within=self.patience_seconds)
        except AssertionError:
            said = "".join(daemon.lines[self.mark :])
            raise AssertionError(f"the daemon does not say\n{line}\nbut\n{said}") from None


def without_comment(command: str) -> str:
    """A command without the comment at its end; a # within a word is none."""
    return re.sub(r"(^|\s+)#( .*)?$", "", command).strip()


def recipe(command: str) -> str:
    """What make does, for targets that start a daemon."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^([a-z-]+):[^\n]*\n\t\$\(BIN\)/(gavo-exec serve[^\n]*)$", makefile, flags=re.MULTILINE)
    found: dict[str, str] = dict(recipes)
    return found.get(command.removeprefix("make "), command)


def must_be_understood(block: Block) -> None:
    """Fail for commands that are not run here, and would not be understood elsewhere either."""
    for line in block.lines:
        words = shlex.split(without_comment(line))
        while words and words[0] in ("sudo", "-u", "gavo"):
            words.pop(0)
        program = words[0].rpartition("/")[2] if words else ""
        if program == "gavo-exec":
            parse(words[1:])
        else:
            assert not words or program in ELSEWHERE, f"what is {program}? ({line})"


def must_call_what_is_there(block: Block) -> None:
    """Fail for the configuration of another tool in which our command is called wrongly, or not at all."""
    called = re.findall(r"^\s*(?:- )?(?:run|entry): (?:\S*/)?gavo-exec ([^>|\n]*)", block.text, flags=re.MULTILINE)
    assert called, "our command is not called here"
    for arguments in called:
        parse(shlex.split(arguments))


def parse(words: list[str]) -> click.Context:
    """Have our own command line parsed; fails as the command would."""
    command: click.Command = group
    words = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0)) if words else None
        assert found is not None, f"there is no such command: {words}"
        command = found
    try:
        return command.make_context("gavo-exec", words)
    except click.ClickException as fault:
        raise AssertionError(fault.format_message()) from None


def must_be_an_rd(text: str, folder: Path, saved: Path) -> None:
    """Fail for XML that the reader has anything to say about; a lone execute is put into a resource.

    What is saved in ``inputs`` is read there, as it may refer to others.
    """
    if not re.match(r"(<\?.*?>\s*)*<resource", text):
        text = f'<resource schema="example" resdir=".">\n{text}</resource>\n'
    path = folder / "shown" / "example" / "q.rd"
    for name in ("example", *re.findall(r'\b(?:schema|resdir)="([^".]+)"', text)):
        (folder / "shown" / name).mkdir(parents=True, exist_ok=True)
    inputs_dir = folder / "shown"
    if saved.is_file() and "inputs" in saved.parts:
        path = saved
        inputs_dir = next(parent for parent in saved.parents if parent.name == "inputs")
    rd = read(str(path), inputs_dir=str(inputs_dir), data=text.encode(), thorough=True, today=datetime.now(UTC))
    assert not rd.warnings
    assert rd.executes or "<procDef" in text


def must_be_settings(text: str, folder: Path) -> Settings:
    """Fail for a settings file that cannot be used."""
    path = folder / "shown.toml"
    path.write_text(text, encoding="utf-8")
    environ = {"HOME": HOME, "SMTP_PASSWORD": "secret", "HEARTBEAT_URL": "https://hc.example.org/ping/1"}
    return load(flags={}, environ=environ, path=str(path), required=())


def parsed_unit(text: str) -> configparser.ConfigParser:
    """A unit of systemd's."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    parsed.read_string(text)
    return parsed


@pytest.fixture
def reader(site: Any, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(site, monkeypatch)


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_a_page_can_be_followed_step_by_step(page: Path, reader: Reader) -> None:
    reader.follow(page)


def test_the_readme_and_the_tutorial_start_a_real_daemon() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "tutorial" / "first-job.md"):
        found = list(blocks(page.read_text(encoding="utf-8")))
        commands = [without_comment(line) for block in found if block.language == "sh" for line in block.lines]
        assert any(recipe(command).startswith("gavo-exec serve") for command in commands)
        assert any("^C" in block.lines for block in found)


# What pages say in other ways


def page_blocks(name: str, language: str) -> list[Block]:
    text = (ROOT / "docs" / "howto" / name).read_text(encoding="utf-8")
    return [block for block in blocks(text) if block.language == language]


def test_the_ways_for_mail_are_what_the_page_says(tmp_path: Path) -> None:
    found = [must_be_settings(block.text, tmp_path) for block in page_blocks("mail.md", "toml")]
    assert [(each.transport, each.smtp_security, each.smtp_port) for each in found if each.transport == "smtp"] == [
        ("smtp", "starttls", 587),
        ("smtp", "tls", 465),
        ("smtp", "none", 25),
    ]
    assert [each.sendmail_argv for each in found if each.transport == "sendmail"] == [
        ("/usr/sbin/sendmail", "-t", "-i")
    ]
    maildirs = [each.maildir for each in found if each.transport == "maildir"]
    assert maildirs[:2] == ["/home/ana/Maildir", str(tmp_path / "mails")]
    [channels] = [each for each in found if each.webhook_url]
    assert (channels.notify_argv, channels.webhook_secret_file) == (
        ("/usr/local/bin/tell-the-chat",),
        "/etc/gavo-exec/webhook-secret",
    )
    assert [each.heartbeat_seconds for each in found if each.heartbeat_url] == [60]


def test_the_unit_for_systemd_starts_reloads_and_stops_the_daemon(site: Any, tmp_path: Path) -> None:
    [settings] = page_blocks("systemd.md", "toml")
    unit = (ROOT / "examples" / "systemd" / "gavo-exec.service").read_text(encoding="utf-8")
    service = parsed_unit(unit)["Service"]
    words = shlex.split(service["ExecStart"])
    assert parse(words[1:]).info_name == "gavo-exec"
    # The same command with the same settings, but for the paths.
    file = tmp_path / "settings.toml"
    assert settings.name == words[-1]
    given = must_be_settings(settings.text, tmp_path)
    file.write_text(settings.text.replace(given.inputs_dir, str(site.inputs)))
    outside = {name: text for name, text in site.env.items() if not name.startswith("GAVO_EXEC_")}
    site.env = outside | {"STATE_DIRECTORY": str(tmp_path / "state-of" / service["StateDirectory"])}
    daemon = site.serve(*words[2:-1], str(file))
    daemon.wait_for(f"ready: 0 jobs from {site.inputs}, state in {site.env['STATE_DIRECTORY']}")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.end() == 0
    # What the page says of time and of exit codes.
    assert int(service["TimeoutStopSec"]) >= given.stop_grace_seconds + 30
    file.write_text('inputs_dri = "x"')
    site.run("serve", "--settings", str(file), code=int(service["RestartPreventExitStatus"]))
    file.write_text(settings.text.replace(given.inputs_dir, str(tmp_path / "gone")))
    assert "there is no such resource directory" in site.run("serve", "--settings", str(file), code=1)


FROM_CRON = re.findall(
    r'^\| `([^`@]+)` \| `(at|every)="([^"]+)"`(?: and `when.only` `([^`]+)`)? \|',
    (ROOT / "docs" / "howto" / "from-cron.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def numbers(field: str, low: int, high: int) -> set[int]:
    """What a field of a crontab stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


def cron_minutes(line: str, start: datetime, days: int) -> list[datetime]:
    """All minutes at which cron would start this line, if it were in UTC."""
    minute, hour, day, month, weekday = line.split()
    wanted = [
        numbers(minute, 0, 59),
        numbers(hour, 0, 23),
        numbers(day, 1, 31),
        numbers(month, 1, 12),
        {number % 7 for number in numbers(weekday, 0, 7)},
    ]
    instants = (start + timedelta(minutes=count) for count in range(days * 1440))
    return [
        at
        for at in instants
        if all(
            value in field
            for value, field in zip((at.minute, at.hour, at.day, at.month, at.isoweekday() % 7), wanted, strict=True)
        )
    ]


@pytest.mark.parametrize(("line", "attribute", "text", "only"), FROM_CRON, ids=[row[0] for row in FROM_CRON])
def test_what_was_a_line_of_a_crontab_is_due_at_the_same_instants(
    line: str, attribute: str, text: str, only: str
) -> None:
    start = datetime(2026, 1, 30, tzinfo=UTC)
    expected = cron_minutes(line, start, 70)
    assert len(expected) > 1
    if attribute == "every":
        gaps = {later - earlier for earlier, later in itertools.pairwise(expected)}
        assert gaps == {timedelta(seconds=int(text))}
        return
    window = Window(only=parse_expressions(only)) if only else None
    schedule = narrowed(parse_at(text), window=window)
    due: datetime | None = start - timedelta(seconds=1)
    for instant in expected:
        assert due is not None
        due = schedule.next_due(due, None)
        assert due == instant


def test_the_table_for_those_who_come_from_cron_is_found() -> None:
    assert len(FROM_CRON) >= 6
    assert any(only for *_, only in FROM_CRON)


# That what is wrong would be noticed


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```console\n$ echo one\ntwo\n```", "shows something else"),
        ("```console\n$ gavo-exec --version\ngavo-exec 99\n```", "shows something else"),
        ("```console\n$ printf 'a\\nb\\n'\na\n```", "shows something else"),
        ("```sh\nfalse\n```", "false: exit 1"),
        ("```sh\ngavo-exec check --inputs-dir nowhere\n```", "exit 1"),
        ("```sh not-run\ngavo-exec serve --wrokers 3\n```", "No such option"),
        ("```sh not-run\nsudo gavo-exec chekc\n```", "there is no such command"),
        ("```sh not-run\nsystmctl start x\n```", "what is systmctl"),
        ("```yaml\n- run: gavo-exec check --strcit\n```", "No such option"),
        ("```yaml\n- run: make\n```", "our command is not called here"),
        ("```log\nready\n```", "no daemon runs here"),
        ('```xml\n<resource schema="x"><execute title="a" at="25:00"><job/></execute></resource>\n```', "E301"),
        (
            '```xml\n<execute title="a" at="5:00"><job/></execute>\n<execute title="a" at="5:00"><job/></execute>\n```',
            "W202",
        ),
        ('```xml\n<resource schema="x"/>\n```', "executes"),
        ("```toml\nwrokers = 3\n```", "there is no setting wrokers"),
        ("```python\nif\n```", "invalid syntax"),
        ("```pyhton\npass\n```", "nobody knows"),
        ("```\npass\n```", "nobody knows"),
        ("```sh\ntrue", "does not end"),
        ("So:\n\n    true", "without a fence"),
    ],
)
def test_a_page_that_is_not_true_is_noticed(text: str, fault: str, reader: Reader) -> None:
    page = ROOT / "page.md"
    with pytest.raises((AssertionError, SyntaxError, GavoExecError), match=re.escape(fault)):
        reader.follow_text(text, page)


def test_what_the_daemon_does_not_say_is_noticed(reader: Reader) -> None:
    reader.patience_seconds = 0.2
    text = "In a checkout:\n\n```sh\ngavo-exec serve examples --state-dir var\n```\n\n```log\nno such line\n```\n"
    with pytest.raises(AssertionError, match="the daemon does not say\nno such line"):
        reader.follow_text(text, ROOT / "page.md")


@pytest.mark.parametrize(
    ("shown", "actual", "fits"),
    [
        ("at 2026-11-24 07:30:00Z in 0.1 s", "at 2031-01-02 03:04:05Z in 12.0 s", True),
        ("at 2026-11-24 07:30:00Z", "at noon", False),
        ("every 1 h", "every 2 h", False),
        ("left 53 min 9 s", "left 1 h", True),
        ("run 261124073400-51f3-1", "run 301124073400-7-12", True),
        ("run 261124073400-51f3-1", "run 1", False),
        ("A   B  C", "A B            C", True),
        ("A B", "AB", False),
        ("exit 3: ...", "exit 3: whatever", True),
        ("exit 3: ...", "exit 4: whatever", False),
        ("(no) [regular] expression?", "(no) [regular] expression?", True),
        ("a.c", "abc", False),
    ],
)
def test_what_is_shown_may_vary_in_what_varies(shown: str, actual: str, fits: bool) -> None:
    assert is_shown([shown], f"{actual}\n") is fits


@pytest.mark.parametrize(
    ("shown", "actual", "fits"),
    [
        (["a", "...", "d"], "a\nb\nc\nd\n", True),
        (["a", "...", "d"], "a\nd\n", True),
        (["a", "...", "d"], "a\nb\n", False),
        (["a", "..."], "b\na\n", False),
        (["a", "", "b"], "a\n\nb\n", True),
        (["a", "b"], "a\n\nb\n", False),
        ([], "", True),
        ([], "a\n", False),
    ],
)
def test_lines_are_left_out_only_where_there_are_dots(shown: list[str], actual: str, fits: bool) -> None:
    assert is_shown(shown, actual) is fits
