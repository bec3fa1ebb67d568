"""Every kind of mail, word by word: what they say is in tests/data/mails.

After a change that is meant, ``python -m tests.unit.services.mail.test_letters`` writes them anew.
"""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from gavo_exec.services.mail.items import Item
from tests.unit.services.mail.cases import CASES, NOW, POLICY, an_incident, mail

FOLDER = Path(__file__).parents[3] / "data" / "mails"


def received(message: EmailMessage) -> EmailMessage:
    """The mail as it arrives."""
    content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
    return message_from_bytes(content, policy=default_policy)


def part_of(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def shown(message: EmailMessage) -> str:
    """The mail as people read it, with all its headers."""
    message = received(message)
    headers = [f"{name}: {value}" for name, value in message.items() if name not in {"MIME-Version", "Content-Type"}]
    return "\n".join([*headers, "", part_of(message, "plain")])


@pytest.mark.parametrize("name", CASES)
def test_a_mail_says_this(name: str) -> None:
    assert shown(CASES[name]()) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_no_text_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)


class Words(HTMLParser):
    """The words of a page, as they are seen."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._is_hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_hidden = self._is_hidden or tag in {"style", "title"}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "title"}:
            self._is_hidden = False

    def handle_data(self, data: str) -> None:
        if not self._is_hidden:
            self.words += data.split()


def words_of(text: str) -> list[str]:
    """The words of a text, without what makes columns and margins of it."""
    lines = (line.removeprefix("  > ").removeprefix("== ") for line in text.splitlines())
    return [word.rstrip(":") for line in lines for word in line.split() if word.rstrip(":")]


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_the_same_in_the_same_order(name: str) -> None:
    message = received(CASES[name]())
    page = Words()
    page.feed(part_of(message, "html"))
    assert [word.rstrip(":") for word in page.words if word.rstrip(":")] == words_of(part_of(message, "plain"))


@pytest.mark.parametrize("name", CASES)
def test_the_page_needs_nothing_from_elsewhere(name: str) -> None:
    html = part_of(received(CASES[name]()), "html")
    page = Words()
    page.feed(html)
    assert set(page.links) <= {"https://archive.example.org/jobs?a=1&b=2"}
    assert "<script" not in html
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("name", CASES)
def test_mails_are_without_defects_and_cannot_start_a_loop(name: str) -> None:
    message = received(CASES[name]())
    assert not any(part.defects for part in message.walk())
    assert not any(header.defects for header in message.values())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "gavo-exec <gavo-exec.archive>"
    assert message.get_content_type() in {"multipart/alternative", "multipart/mixed"}


def test_mails_have_the_id_of_what_they_tell_and_keep_it() -> None:
    def id_of(*items: Item, host: str = "archive") -> str:
        return str(mail(*items, policy=replace(POLICY, host=host))["Message-ID"])

    first, other = Item(incident=an_incident()), Item(incident=an_incident(about="radio/q#grid"))
    again = Item(incident=replace(first.incident, told=1))
    later = Item(incident=replace(first.incident, since=NOW))
    assert id_of(first) == id_of(first)
    ids = [
        id_of(first),
        id_of(other),
        id_of(again),
        id_of(later),
        id_of(first, other),
        id_of(again, other),
        id_of(first, host="mirror"),
    ]
    assert len(set(ids)) == len(ids)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name, make in CASES.items():
        (FOLDER / f"{name}.txt").write_text(shown(make()), encoding="utf-8")
