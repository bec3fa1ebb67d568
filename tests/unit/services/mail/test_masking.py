"""Secrets are in nothing that leaves the machine."""

import gzip
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gavo_exec.errors import Position
from gavo_exec.events import RunFinished
from gavo_exec.model import Job, Outcome
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.letters import compose, compose_bare, compose_debug_output
from gavo_exec.services.mail.masking import MASK, Masker, secrets_in
from gavo_exec.services.mail.payload import payload
from gavo_exec.services.mail.scenes import circumstances_of
from tests.unit.services.mail.cases import DUE, EXECUTE, NOW, POLICY, REQUEST, RUN, an_incident
from tests.unit.services.mail.test_hostile import hostile_items

# Nothing that mails say of themselves has the first two letters.
SECRETS = st.text("βδ<&\"'=\\%;x", min_size=4, max_size=20).filter(lambda text: "β" in text or "δ" in text)
AROUND = st.text("ab \n\t[]é", max_size=10)


def told_with(items: list[Item], mask: Masker) -> Iterator[str]:
    """All that anybody gets to see of these, part by part."""
    secret_page = replace(POLICY, dashboard_url=f"https://example.org/?{items[0].incident.about}")
    for message in (
        *(compose([item], policy=secret_page, now=NOW, mask=mask) for item in items),
        compose(items, policy=secret_page, now=NOW, mask=mask, held_back_since=DUE),
        compose_bare(items, policy=secret_page, now=NOW, mask=mask),
    ):
        yield from parts_of(message)
        yield payload(items, policy=secret_page, now=NOW, mask=mask, subject=str(message["Subject"])).decode()


def parts_of(message: EmailMessage) -> Iterator[str]:
    received = message_from_bytes(message.as_bytes(), policy=default_policy)
    yield from (str(value) for name, value in received.items() if name not in {"From", "To"})
    for part in received.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
            yield unescape(text) if part.get_content_subtype() == "html" else text


@settings(max_examples=50)
@given(SECRETS, AROUND, AROUND)
def test_no_part_of_any_mail_has_a_secret(secret: str, before: str, after: str) -> None:
    items = hostile_items(f"{before}{secret}{after}{secret}")
    for item in items:
        parts = list(told_with([item], Masker([secret])))
        assert not [part for part in parts if secret in part]
        assert any(MASK in part for part in parts)


@settings(max_examples=25)
@given(SECRETS, st.integers(0, 400))
def test_no_part_has_the_beginning_of_a_secret_where_it_is_cut(secret: str, margin: int) -> None:
    """Wherever lines and blocks are cut."""
    secret = f"β{secret}δ"
    for limit in (200, 500, 1000, 16_384):
        text = "x" * max(0, limit - margin) + secret + "\n" + "y" * 20_000
        run = replace(RUN, output=text, error=f"{text}\n{text}", title=text)
        item = Item(incident=an_incident(run, cause=Masker([secret])(text)), run=run, attempts=(run,))
        assert not [part for part in told_with([item], Masker([secret])) if "β" in part]


@given(SECRETS)
def test_code_shows_no_part_of_a_secret(secret: str) -> None:
    source = f"a = 1\n{'b' * 190}'{secret}'\n"
    job = Job(source=source, first_line=3, position=Position(path="/q.rd", line=3))
    request = replace(REQUEST, execute=replace(EXECUTE, job=job))
    run = replace(RUN, error='ValueError\n\n  File "/q.rd", line 4, in job\n')
    circumstances = circumstances_of(RunFinished(run=run, request=request))
    assert secret in circumstances.excerpt[1][1]
    item = Item(incident=an_incident(run, circumstances=circumstances), run=run)
    assert not [part for part in told_with([item], Masker([secret])) if "β" in part or "δ" in part]


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    secret = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END KEY-----\n"
    run = replace(RUN, output=f"read {secret}", error="ValueError: MIIEvQIBADANBgkqhkiG is no key")
    item = Item(incident=an_incident(run), run=run)
    parts = list(told_with([item], Masker([secret])))
    assert not [part for part in parts for line in secret.split() if len(line) > 5 and line in part]


def test_the_output_of_good_runs_has_no_secrets_either() -> None:
    run = replace(RUN, key="β#βδδε", title="βδδε", output="βδδε\n" * 100_000, outcome=Outcome.SUCCEEDED)
    message = compose_debug_output(run, REQUEST, policy=POLICY, now=NOW, mask=Masker(["βδδε"]))
    assert not [part for part in parts_of(message) if "βδδε" in part]
    assert len(list(message.iter_attachments())) == 1


def test_who_is_told_and_what_went_before_stays_what_it_is() -> None:
    thread = ("<incident.1@archive>", "<incident.2@archive>")
    incident = an_incident(to=("jo@example.org",), thread=thread, told=1)
    plain = compose([Item(incident=incident)], policy=POLICY, now=NOW, mask=Masker())
    masked = compose([Item(incident=incident)], policy=POLICY, now=NOW, mask=Masker(["example", "incident", "fetch"]))
    for name in ("From", "To", "Message-ID", "In-Reply-To", "References"):
        assert masked[name] == plain[name]
    assert masked["X-Gavo-Exec-Key"] == "weather/q#[secret]"


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        ((), "all of it", "all of it"),
        (("secret",), "my secret, your secret", "my [secret], your [secret]"),
        (("abc",), "abc", "abc"),  # too short to be told from other text
        (("pass", "password"), "the password", "the [secret]"),
        (("  padded \n",), "is padded", "is [secret]"),
        (("first line\nsecond line",), "first line\n  second line", "[secret]\n  [secret]"),
        (("",), "a", "a"),
    ],
)
def test_secrets_are_hidden_wherever_they_stand(values: tuple[str, ...], text: str, shown: str) -> None:
    assert Masker(values)(text) == shown


@given(st.text(max_size=100), st.lists(st.text(max_size=10)))
def test_what_has_no_secret_stays_as_it_is(text: str, values: list[str]) -> None:
    mask = Masker(values)
    parts = [part.strip() for value in values for part in (value, *value.splitlines())]
    if not any(len(part) >= 4 and part in text for part in parts):
        assert mask(text) is text


def test_what_is_frozen_is_masked_however_deep_it_is() -> None:
    item = Item(incident=an_incident(), run=RUN)
    assert Masker(["no such thing"]).all_of(item) is item
    masked = Masker(["Fetch"]).all_of(item)
    assert masked.run is not None
    assert masked.incident.circumstances.title == masked.run.title == "[secret] the weather"
    assert masked.incident.since is item.incident.since
    assert item.incident.circumstances.title == "Fetch the weather"


def test_a_mask_learns() -> None:
    mask = Masker(["first"])
    mask.learn(["second"])
    assert mask("first second third") == "[secret] [secret] third"


@pytest.mark.parametrize(
    ("names", "values"),
    [
        ((), []),
        (("*PASSWORD",), ["a", "e"]),
        (("*password", "*_TOKEN"), ["a", "b", "e"]),
        (("*TOKEN*",), ["b", "d"]),
        (("HOME",), ["c"]),
        (("H?ME", "[H]OME"), ["c"]),
        (("*",), ["a", "b", "c", "d", "e"]),
    ],
)
def test_secrets_of_the_environment_are_known_by_the_names_of_variables(
    names: tuple[str, ...], values: list[str]
) -> None:
    environ = {"DB_PASSWORD": "a", "my_token": "b", "HOME": "c", "TOKENS": "d", "PASSWORD": "e"}
    assert secrets_in(environ, names) == values
