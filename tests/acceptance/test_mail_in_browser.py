"""Mails as a browser shows them: on a desk and on a phone, by day and by night, whatever is in them."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from gavo_exec.services.mail.items import Item
from tests.unit.services.mail.cases import CASES, DUE, RUN, an_incident, known, mail
from tests.unit.services.mail.test_hostile import HOSTILE, hostile_mails
from tests.unit.services.mail.test_letters import part_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")

PHONE, DESK = 360, 1000
LEAST_CONTRAST = 4.5
"""What texts need to be readable, by WCAG."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Reader:
    """Somebody who opens mails; what these ask for from elsewhere is refused and noted in ``asked``."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._pages: dict[tuple[int, bool], Page] = {}
        self.asked: list[str] = []
        self.dialogs: list[str] = []

    def opens(self, html: str, *, width: int = DESK, dark: bool = False) -> Page:
        """The page with a mail, until the next one is opened."""
        if (width, dark) not in self._pages:
            self._pages[width, dark] = self._new_page(width, dark=dark)
        page = self._pages[width, dark]
        page.goto("about:blank")  # or what another mail has done to the window would last
        page.set_content(html)
        return page

    def _new_page(self, width: int, *, dark: bool) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", self._dismiss)
        page.route("**/*", lambda route: route.abort())
        return page

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="module")
def only_reader(browser: Browser) -> Reader:
    return Reader(browser)


@pytest.fixture
def reader(only_reader: Reader) -> Reader:
    only_reader.asked.clear()
    only_reader.dialogs.clear()
    return only_reader


def html_of(name: str) -> str:
    return part_of(CASES[name](), "html")


# What is first


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(
    ("name", "word", "cause"),
    [
        ("failed-exception", "FAILED", "ValueError: no temperature in row 7"),
        ("broken-rd", "BROKEN RD", "line 7: E301 7:61 is no time (and 1 more)"),
        ("recovered", "RECOVERED", "after 1 d 1 h, 5 failures"),
    ],
)
def test_the_cause_is_first_and_largest(reader: Reader, name: str, word: str, cause: str, width: int) -> None:
    page = reader.opens(html_of(name), width=width)
    assert page.inner_text("main").strip().split("\n")[:2] == [word, cause]
    box = page.locator("h1").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 200
    largest, cause_size = page.evaluate(
        """() => {
            const sizes = [...document.querySelectorAll('h1, main *')].map(
                element => parseFloat(getComputedStyle(element).fontSize));
            return [Math.max(...sizes), sizes[0]];
        }"""
    )
    assert cause_size == largest


def test_the_line_that_failed_stands_out(reader: Reader) -> None:
    for dark in (False, True):
        page = reader.opens(html_of("failed-exception"), dark=dark)
        marked = page.locator("pre mark")
        assert marked.count() == 1
        assert marked.inner_text().strip().startswith("19 |")
        grounds = page.evaluate(
            """() => ['pre', 'pre mark'].map(
                selector => getComputedStyle(document.querySelector(selector)).backgroundColor)"""
        )
        assert grounds[0] != grounds[1]
        widths = [box["width"] for box in (marked.bounding_box(), page.locator("pre").first.bounding_box()) if box]
        assert widths == [widths[0]] * 2


# Whether it can be read

OVERFLOWING = """() => {
    const edge = document.documentElement.clientWidth;
    const wide = element => element.getBoundingClientRect().right > edge + 0.5
        || (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline');
    const found = [...document.querySelectorAll('body, body *')].filter(wide).map(element => element.outerHTML);
    return document.documentElement.scrollWidth > edge ? ['the page', ...found] : found;
}"""


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_too_wide_for_a_phone(reader: Reader, name: str) -> None:
    assert reader.opens(html_of(name), width=PHONE).evaluate(OVERFLOWING) == []


def test_what_is_too_wide_would_be_noticed(reader: Reader) -> None:
    html = html_of("failed-child").replace("<main>", f"<main><pre>{'x' * 100}</pre>")
    assert reader.opens(html, width=PHONE).evaluate(OVERFLOWING) != []


CONTRASTS = """() => {
    const parts = colour => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = ([r, g, b, a], ground) => [r, g, b].map((part, n) => part * a + ground[n] * (1 - a));
    const canvas = document.body.appendChild(document.createElement('i'));
    canvas.style.backgroundColor = 'Canvas';
    const base = parts(getComputedStyle(canvas).backgroundColor);
    canvas.remove();
    const ground = element => element === null ? base
        : over(parts(getComputedStyle(element).backgroundColor), ground(element.parentElement));
    const light = colour => {
        const [r, g, b] = colour.map(part => part / 255).map(
            part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
        const text = texts.currentNode, element = text.parentElement;
        if (!text.data.trim()) continue;
        const behind = ground(element), front = over(parts(getComputedStyle(element).color), behind);
        const [low, high] = [light(behind), light(front)].sort((a, b) => a - b);
        found.push([text.data.trim(), (high + 0.05) / (low + 0.05)]);
    }
    return found;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", CASES)
def test_all_texts_stand_out_from_their_grounds(reader: Reader, name: str, *, dark: bool) -> None:
    contrasts: list[tuple[str, float]] = reader.opens(html_of(name), dark=dark).evaluate(CONTRASTS)
    assert contrasts
    assert [(text, contrast) for text, contrast in contrasts if contrast < LEAST_CONTRAST] == []


def test_what_does_not_stand_out_would_be_noticed(reader: Reader) -> None:
    html = html_of("failed-child").replace("<main>", '<main><p style="color:#999">pale</p>')
    contrasts = dict(reader.opens(html).evaluate(CONTRASTS))
    assert contrasts["pale"] == pytest.approx(2.85, abs=0.05)


def test_a_dark_screen_stays_dark(reader: Reader) -> None:
    def lightness(*, dark: bool) -> int:
        ground: str = reader.opens(html_of("failed-child"), dark=dark).evaluate(
            "() => getComputedStyle(document.body).backgroundColor"
        )
        return sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(","))

    assert lightness(dark=True) < 100
    assert lightness(dark=False) > 700


def test_without_its_styles_it_can_be_read_all_the_same(reader: Reader) -> None:
    html = html_of("failed-exception")
    while (start := html.find("<style>")) >= 0:
        html = html[:start] + html[html.index("</style>", start) + len("</style>") :]
    page = reader.opens(html, width=PHONE)
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("() => getComputedStyle(document.querySelector('pre mark')).backgroundColor") != (
        page.evaluate("() => getComputedStyle(document.querySelector('pre')).backgroundColor")
    )


# Whatever is in them

SEEN = """() => ({
    ran: 'pwned' in window || document.title === 'pwned',
    elements: [...new Set([...document.querySelectorAll('*')].map(element => element.localName))].sort(),
    attributes: [...new Set([...document.querySelectorAll('*')].flatMap(
        element => element.getAttributeNames()))].sort(),
    scripts: document.scripts.length,
    links: [...document.querySelectorAll('[href], [src]')].length,
})"""

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "span", "table", "tbody"}
ELEMENTS |= {"tr", "th", "td", "pre", "mark", "p", "code"}
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "class", "style"}

INJECTIONS = {
    "script": "<script>window.pwned = 1; document.title = 'pwned'; alert(1)</script>",
    "closing tags": "</pre></mark></td></title></style></head><script>window.pwned=1</script>",
    "image": "<img src=https://example.invalid/x.png onerror=window.pwned=1>",
    "attributes": "\"'><svg/onload=window.pwned=1>",
    "frame": "<iframe src='https://example.invalid'></iframe><link rel=stylesheet href=https://example.invalid/x.css>",
    "style": "<style>@import 'https://example.invalid/x.css';body{display:none}</style>",
    "refresh": "<meta http-equiv=refresh content='0;url=https://example.invalid'><base href=https://example.invalid>",
    "comment": "<!-- --!><script>window.pwned=1</script> <![CDATA[ ]]>",
    "entities": "&lt;script&gt;window.pwned=1&lt;/script&gt; &#60;img src=x&#62;",
}


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS.keys())
def test_nothing_that_is_told_becomes_part_of_the_page(reader: Reader, text: str) -> None:
    for message in hostile_mails(text):
        page = reader.opens(part_of(message, "html"))
        seen: dict[str, Any] = page.evaluate(SEEN)
        assert not seen["ran"]
        assert not seen["scripts"]
        assert not seen["links"]
        assert set(seen["elements"]) <= ELEMENTS
        assert set(seen["attributes"]) <= ATTRIBUTES
    assert reader.asked == reader.dialogs == []


def test_what_is_injected_would_be_noticed(reader: Reader) -> None:
    html = html_of("failed-child").replace("<main>", f"<main>{INJECTIONS['script']}{INJECTIONS['image']}")
    page = reader.opens(html)
    seen = page.evaluate(SEEN)
    assert seen["ran"]
    assert seen["scripts"] == seen["links"] == 1
    assert reader.asked == ["https://example.invalid/x.png"]
    assert reader.dialogs == ["1"]


def test_what_is_told_is_shown_as_it_is(reader: Reader) -> None:
    text = INJECTIONS["entities"] + INJECTIONS["script"]
    run = replace(RUN, error=f"{text}\nmore", output=text)
    page = reader.opens(part_of(mail(Item(incident=an_incident(run), run=run)), "html"))
    assert text in page.inner_text("h1")
    assert text in page.locator("pre").last.inner_text()


LONG = {name: text for name, text in HOSTILE.items() if name in {"long line", "long unicode", "many tabs", "quotes"}}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_hostile_texts_do_not_burst_a_phone(reader: Reader, text: str) -> None:
    for message in hostile_mails(text):
        assert reader.opens(part_of(message, "html"), width=PHONE).evaluate(OVERFLOWING) == []


def test_a_digest_of_many_fits(reader: Reader) -> None:
    items = [Item(incident=an_incident(about=f"weather/q#{'j' * number}")) for number in range(1, 100)]
    items.append(Item(incident=known(about="a/b#c", over_at=DUE + timedelta(hours=1))))
    page = reader.opens(part_of(mail(*items), "html"), width=PHONE)
    assert page.evaluate(OVERFLOWING) == []
    assert page.inner_text("main").strip().startswith("99 FAILED, 1 RECOVERED\n")
