"""Headers of mails: for people, for machines that sort them, and for those that thread them."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gavo_exec.services.mail.envelope import MailPolicy, domain_of
from gavo_exec.services.mail.items import Item
from tests.unit.services.mail.cases import DUE, POLICY, RUN, an_incident, known, mail

HOSTS = {
    "short": "archive",
    "whole": "archive.example.org",
    "long": "archive.a-long-institute-name-of-astronomy.uni-heidelberg.example.org",
    "very long": "x" * 250,
    "many labels": "a.b." * 60,
    "empty labels": "..a..b..",
    "hyphens": "-a-.-b-",
    "no name": "<>",
    "unicode": "größe.example.org",
    "spaces": "my archive",
}


def sent(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=message.policy.clone(linesep="\n"))


def header_lines(message: EmailMessage, name: str) -> list[str]:
    """The lines of a header as they are sent."""
    lines = sent(message).partition(b"\n\n")[0].decode("ascii").split("\n")
    [first] = [number for number, line in enumerate(lines) if line.startswith(f"{name}: ")]
    last = next((n for n in range(first + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return lines[first:last]


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
def test_mails_of_one_incident_make_a_thread_whatever_the_host_is_called(host: str) -> None:
    policy = replace(POLICY, host=host)
    first, other = (str(mail(Item(incident=an_incident(told=told)), policy=policy)["Message-ID"]) for told in (0, 1))
    message = mail(Item(incident=known(thread=(first, other)), run=RUN), policy=policy)
    assert header_lines(message, "References") == [f"References: {first}", f" {other}"]
    assert header_lines(message, "In-Reply-To") == [f"In-Reply-To: {other}"]
    received = message_from_bytes(sent(message), policy=default_policy)
    assert [header.defects for header in received.values()] == [()] * len(received)


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
def test_headers_for_machines_are_written_as_they_are(host: str) -> None:
    message = mail(Item(incident=an_incident()), policy=replace(POLICY, host=host))
    for name in ("Message-ID", "List-Id", "Auto-Submitted", "X-Gavo-Exec-Key", "X-Gavo-Exec-State"):
        assert not any("=?" in line for line in header_lines(message, name))


def test_the_first_mail_of_an_incident_answers_none() -> None:
    message = mail(Item(incident=an_incident()))
    assert message["In-Reply-To"] is message["References"] is None


def test_a_digest_belongs_to_the_threads_of_all_and_names_so_many() -> None:
    items = [
        Item(incident=known(about=f"a/q#{number}", thread=(f"<i.{number}@h>", f"<j.{number}@h>")))
        for number in range(50)
    ]
    message = mail(*items)
    assert str(message["References"]).split() == [f"<{letter}.{n}@h>" for n in range(40, 50) for letter in "ij"]
    shared = mail(*(Item(incident=known(about=about, thread=("<i@h>", "<i@h>"))) for about in ("a", "b")))
    assert (shared["References"], shared["In-Reply-To"]) == ("<i@h>", "<i@h>")


def test_a_key_stands_in_its_header_once() -> None:
    message = mail(*(Item(incident=an_incident(about=f"a/q#{number // 2}")) for number in range(8)))
    assert message.get_all("X-Gavo-Exec-Key") == ["a/q#0", "a/q#1", "a/q#2", "a/q#3"]


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("archive", "archive"),
        ("archive.example.org", "archive.example.org"),
        ("..a..b..", "a.b"),
        ("-a-.-b-", "a.b"),
        ("my archive", "my-archive"),
        ("größe", "gr-e"),
        ("ä", "localhost"),
        ("", "localhost"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_a_host_has_a_name_for_addresses(host: str, domain: str) -> None:
    assert domain_of(host) == domain


@given(st.text(max_size=300) | st.text("ab-. ", max_size=30))
def test_any_host_has_a_name_for_addresses(host: str) -> None:
    labels = domain_of(host).split(".")
    assert all(label and label[0] != "-" and label[-1] != "-" and label.isascii() for label in labels)
    assert len(domain_of(host)) <= 200
    message = mail(Item(incident=an_incident()), policy=MailPolicy(host=host, user="gavo"))
    received = message_from_bytes(sent(message), policy=default_policy)
    assert [header.defects for header in received.values()] == [()] * len(received)


def test_who_is_told_of_an_incident_is_told_alone() -> None:
    assert mail(Item(incident=an_incident(to=("jo@example.org",))))["To"] == "jo@example.org"
    assert mail(Item(incident=an_incident()))["To"] == "Jo Örn <jo@example.org>, ops@example.org"
    assert mail(Item(incident=an_incident(at=DUE, to=("nobody",))))["To"] == "gavo@archive"
