"""Whatever is in titles, keys, output and addresses, mails are valid, bounded and keep their secrets."""

import gzip
import re
import shlex
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gavo_exec.errors import Diagnostic, Position
from gavo_exec.incidents import Circumstances, Incident, Kind, State
from gavo_exec.model import HeldBack, Outcome, Rejection, Run
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.letters import compose, compose_bare, compose_debug_output
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.texts import one_line
from tests.unit.services.mail.cases import (
    BROKEN,
    DUE,
    NOW,
    REJECTION,
    REQUEST,
    RUN,
    a_diagnostic,
    an_incident,
    mail,
)

HOSTILE = {
    "carriage returns": "a\r\nBcc: x@example.org\r\n\r\nbody",
    "line feeds": "a\nBcc: x@example.org",
    "encoded line ends": "=?utf-8?q?a=0D=0ABcc:_x=40example.org?=",
    "encoded base64": "=?utf-8?b?DQpCY2M6IHhAZXhhbXBsZS5vcmc=?=",
    "unicode line ends": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "right to left": "evil\u202egpj.exe\u2066\u2069\u200f",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x9b31m",
    "lone surrogates": "a\ud800b\udfffc\udce9",
    "nul": "a\0b",
    "long line": "x" * 10_000_000,
    "long unicode": "ä🚀" * 100_000,
    "long word among others": "a " * 100 + "y" * 5000,
    "many lines": "z\n" * 100_000,
    "many tabs": "\t" * 100_000,
    "quotes": "\"'`$(reboot)\\",
    "angle": "<script>alert(1)</script></pre></style>@<>,;:",
    "attributes": '"><img src=x onerror=alert(1)>&amp;&#60;',
    "blank": "   ",
    "empty": "",
    "dots": ".\n.\n..\n",
    "boundaries": "--===============0000000000000000000==\n--===============0000000000000000000==--",
}


def hostile_items(text: str) -> list[Item]:
    """Incidents of all kinds that have this text wherever there is one."""
    position = Position(path=text, line=1)
    diagnostic = Diagnostic(code="E101", message=text, position=position, hint=text, excerpt=text, length=5)
    rejection = Rejection(rd_id=text, path=text, digest=text, rejected_at=DUE, diagnostics=(diagnostic,))
    run = Run(
        run_id=text[:1000],
        key=text,
        title=text,
        due=DUE,
        outcome=Outcome.FAILED,
        output=text,
        error=f"{text}\n{text}",
        host=text,
    )
    circumstances = Circumstances(
        title=text,
        path=text,
        place=text,
        excerpt_path=text,
        excerpt=((1, text[:1000]), (2, text[:1000])),
        marked=2,
        where=text,
        trace=text,
        seconds=1.0,
    )
    base = Incident(
        kind=Kind.JOB,
        about=text,
        state=State.FAILED,
        since=DUE,
        at=DUE,
        cause=text,
        place=text,
        run_id=text[:1000],
        to=(text,),
        circumstances=circumstances,
    )
    held_back = (HeldBack(key=text, title=text),)
    return [
        Item(incident=base, run=run, attempts=(run,)),
        Item(incident=replace(base, kind=Kind.STALL, state=State.STALLED)),
        Item(incident=replace(base, kind=Kind.RD, state=State.BROKEN_RD), rejection=rejection, held_back=held_back),
        Item(incident=replace(base, told=1, over_at=NOW), warnings=(diagnostic,)),
        Item(incident=replace(base, state=State.OVERDUE)),
        Item(incident=replace(base, kind=Kind.MISSED, state=State.MISSED), run=run),
    ]


def hostile_mails(text: str, mask: Masker | None = None) -> list[EmailMessage]:
    policy = MailPolicy(host=text, sender=text, recipients=(text,), user=text)
    mask = mask or Masker()
    items = hostile_items(text)
    mails = [compose([item], policy=policy, now=NOW, mask=mask) for item in items]
    mails.append(compose(items, policy=policy, now=NOW, mask=mask, held_back_since=DUE))
    mails.append(compose_bare(items, policy=policy, now=NOW, mask=mask))
    good = replace(RUN, outcome=Outcome.SUCCEEDED, output=f"{text}.", key=text, title=text)
    mails.append(compose_debug_output(good, REQUEST, policy=policy, now=NOW, mask=mask))
    return mails


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_make_valid_mails(text: str) -> None:
    for message in hostile_mails(text):
        must_be_valid(message)


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_makes_valid_mails(text: str) -> None:
    for message in hostile_mails(text):
        must_be_valid(message)


ALLOWED = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Gavo-Exec-Key",
    "X-Gavo-Exec-State",
    "List-Id",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
}


OUR_TAGS = "html|head|meta|title|style|body|main|h1|h2|h3|span|table|tr|th|td|pre|mark|p|code|a"
FOREIGN_TAG = re.compile(rf"<(?!/?(?:{OUR_TAGS})\b|!DOCTYPE)")


def must_be_valid(mail: EmailMessage) -> None:
    content = mail.as_bytes(policy=mail.policy.clone(linesep="\n"))
    assert max(len(line) for line in content.split(b"\n")) <= 998
    assert b"\r" not in content
    assert b"\0" not in content
    assert content.isascii()
    message = message_from_bytes(content, policy=default_policy)
    for part in message.walk():
        assert not part.defects
        assert {name for name, _ in part.items()} <= ALLOWED
        for header in part.values():
            assert not header.defects
            assert header.isprintable()
    assert len(message["Subject"]) < 900
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].addr_spec != "x@example.org"
    assert re.fullmatch(r"gavo-exec <gavo-exec\.[A-Za-z0-9.-]+>", message["List-Id"])
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = str(body.get_content())
        assert len(text) < 400_000
        for line in text.rstrip("\n").split("\n"):
            assert line.isprintable()
    html = str(message.get_body(("html",)).get_content())  # type: ignore[union-attr] # it is there
    assert not FOREIGN_TAG.search(html)


@pytest.mark.parametrize("text", [*HOSTILE.values(), "-rf /", "it's; rm -rf ~"])
def test_commands_in_mails_are_single_harmless_words(text: str) -> None:
    run = Run(run_id="r1", key=text, title="", due=DUE, outcome=Outcome.FAILED)
    incident = replace(an_incident(), about=text, run_id="r1")
    body = mail(Item(incident=incident, run=run)).get_body(("plain",))
    assert body is not None
    [command] = re.findall(r"^To run it again: +(.*)$", body.get_content(), re.MULTILINE)
    words = shlex.split(command)
    assert words[:2] == ["gavo-exec", "execute"]
    line = one_line(text)
    assert words[2:] == (["--", line] if line.startswith("-") else [line])


def test_a_subject_begins_on_its_line_however_long_it_is() -> None:
    for words in range(1, 60):
        message = mail(Item(incident=an_incident(cause="reason " * words)))
        again = message_from_bytes(message.as_bytes(), policy=default_policy)
        assert again["Subject"].startswith("[archive] FAILED weather/q#fetch: reason")


def test_an_rd_with_a_thousand_faults_is_told_in_bounds() -> None:
    faults = tuple(a_diagnostic(line, message="x" * 5000) for line in range(1000))
    message = mail(Item(incident=BROKEN, rejection=replace(REJECTION, diagnostics=faults)))
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "\nFaults: 1000\n" in text
    assert "    ... and 950 more\n" in text
    assert len(text) < 100_000


def test_a_digest_of_a_thousand_is_bounded_and_names_all() -> None:
    items = [Item(incident=an_incident(about=f"weather/q#j{number}", cause="x" * 5000)) for number in range(1000)]
    message = mail(*items)
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert all(f"weather/q#j{number}: xxx" in text for number in range(1000))
    assert len(message.as_bytes()) < 1_500_000
    assert len(message.get_all("X-Gavo-Exec-Key", [])) == 50


# What is attached


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("short\n", None),
        ("line\n" * 100, "output.txt"),
        ("Grüße \ud800\n" * 100, "output.txt"),
        ("x" * 1000, "output.txt"),
        ("another line\n" * 10_000, "output.txt.gz"),
    ],
)
def test_output_that_is_not_shown_whole_is_attached(output: str, name: str | None) -> None:
    message = mail(Item(incident=an_incident(), run=replace(RUN, output=output)))
    received = message_from_bytes(message.as_bytes(), policy=default_policy)
    attached = list(received.iter_attachments())
    assert [part.get_filename() for part in attached] == ([] if name is None else [name])
    for part in attached:
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        text = gzip.decompress(content) if name is not None and name.endswith(".gz") else content
        assert text == output.encode("utf-8", "backslashreplace")


def test_of_enormous_output_the_end_is_attached() -> None:
    message = mail(Item(incident=an_incident(), run=replace(RUN, output="first\n" + "x" * (16 << 20))))
    [attached] = message.iter_attachments()
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    text = gzip.decompress(content)
    assert text.startswith(b"[6 characters before this left out]\nxxx")
    assert len(text) < (16 << 20) + 100


def test_the_same_output_makes_the_same_attachment() -> None:
    contents = set()
    for _ in range(2):
        [attached] = mail(Item(incident=an_incident(), run=replace(RUN, output="line\n" * 100_000))).iter_attachments()
        contents.add(attached.get_payload(decode=True))
    assert len(contents) == 1


def test_a_very_long_output_is_composed_at_once() -> None:
    run = replace(RUN, output="0123456789abcde\n" * 655_360)
    begun = perf_counter()
    message = mail(Item(incident=an_incident(since=DUE - timedelta(days=1)), run=run))
    assert perf_counter() - begun < 2.0
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "output.txt.gz"
