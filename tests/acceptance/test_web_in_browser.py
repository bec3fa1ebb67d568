"""The operator's story in a browser: by mouse and by keyboard, on a desk and on a phone, by day and by night."""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.conftest import Site

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHOTS = Path(__file__).parent.parent.parent / "docs" / "images"
KEEPING_SHOTS = bool(os.environ.get("GAVO_EXEC_KEEP_SHOTS"))
"""Whether the pictures in the documentation are made anew."""

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)"),
]

RD = """\
<resource schema="weather">
  <execute id="fetch" title="Fetch the weather" every="86400" VERB>
    <job><code>
      import os, time
      print("fetching")
      while not os.path.exists(rd.getAbsPath("go")):
        time.sleep(0.05)
      print("&lt;b&gt;twelve&lt;/b&gt; stations")
    </code></job>
  </execute>
  <execute id="plot" title="Plot the weather" at="7:30">
    <job><code>
      stations = {}
      execDef.debug
      print(stations["Heidelberg"])
    </code></job>
  </execute>
</resource>
"""
GOOD, BAD = RD.replace("VERB", 'debug="False"'), RD.replace("VERB", 'debugg="False"')


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Desk:
    """A site that shows itself, and the secret of an operator."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        site.save("weather/q.rd", GOOD)
        self.secret = site.run("token", "add", "jo", "--scope", "operate").strip()
        self.daemon = site.serve("--web", "--web-port", str(self.port), "--rescan-seconds", "0.5")
        self.daemon.wait_for("dashboard: on http")
        self.url = f"http://127.0.0.1:{self.port}"

    def let_go(self) -> None:
        """Let the weather be fetched."""
        (self.site.inputs / "weather" / "go").touch()


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert faults == []


def log_in(page: Page, desk: Desk) -> None:
    page.goto(desk.url)
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Token").fill(desk.secret)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_the_story_by_mouse(page: Page, desk: Desk) -> None:
    """Look, trigger, follow the output live, see it fail, pause, resume, break an RD, mend it."""
    page.goto(desk.url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("All is well")
    log_in(page, desk)
    page.get_by_role("link", name="Fetch the weather").click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_contain_text("It begins")
    page.get_by_role("link", name="look at it live").click()
    output = page.locator("#output")
    expect(output).to_contain_text("fetching")
    desk.let_go()
    # Without a reload: the page follows the run to its end.
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(output).to_have_text("fetching\n<b>twelve</b> stations\n", use_inner_text=True)
    expect(page).to_have_title(re.compile("^✓ Fetch the weather: succeeded"))

    page.get_by_role("link", name="Jobs on").click()
    page.get_by_role("link", name="Plot the weather").click()
    page.get_by_role("button", name="Run now").click()
    # The page learns by itself that the run failed.
    expect(page.get_by_role("heading", level=1)).to_contain_text("failing")
    expect(page).to_have_title(re.compile("^✗ "))
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile("kind=bad$"))
    page.locator("table.runs a.badge").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("KeyError: 'Heidelberg'")
    expect(page.locator("mark")).to_contain_text('print(stations["Heidelberg"])')
    page.get_by_role("link", name="weather/q#plot").click()

    page.get_by_label("Why").fill("the disk moves")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice")).to_contain_text("the disk moves")
    assert "jo on the web" in desk.site.run("audit")
    assert "paused" in desk.site.run("list")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".notice")).to_have_count(0)

    page.get_by_role("link", name="Jobs on").click()
    desk.site.save("weather/q.rd", BAD)
    # Also the list of all jobs learns that by itself.
    expect(page.get_by_role("link", name="1 RD is broken")).to_be_visible()
    page.get_by_role("link", name="1 RD is broken").click()
    expect(page.locator(".fault strong")).to_contain_text("debugg")
    expect(page.locator("mark")).to_contain_text('debugg="False"')
    # As one sees them: line under line.
    tops = page.evaluate("() => [...document.querySelectorAll('.number')].map(e => e.getBoundingClientRect().top)")
    assert len(tops) == 5
    assert tops == sorted(set(tops))
    desk.site.save("weather/q.rd", GOOD)
    desk.daemon.wait_for("weather/q is good again")
    page.get_by_role("button", name="Read all RDs anew").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("All RDs are good")


def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"
        )
        if name in found:
            width = page.evaluate("() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
            assert width >= 2, "one does not see where one is"
            return
    raise AssertionError(f"{name} cannot be reached by the keyboard")


def test_the_story_by_keyboard_alone(page: Page, desk: Desk) -> None:
    page.goto(desk.url)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.innerText") == "To the content"
    tab_to(page, "Log in")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login**")
    tab_to(page, "Token")
    page.keyboard.type(desk.secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    tab_to(page, "Fetch the weather")
    page.keyboard.press("Enter")
    page.wait_for_url("**/job?**")
    tab_to(page, "Run now")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="look at it live")).to_be_visible()
    tab_to(page, "look at it live")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?**")
    tab_to(page, "End this run")
    page.keyboard.press("Enter")
    page.wait_for_url("**/job?**")
    desk.daemon.wait_for("weather/q#fetch cancelled by jo on the web")
    desk.let_go()
    expect(page.locator("table.runs")).to_contain_text("cancelled")
    tab_to(page, "Why")
    page.keyboard.type("holidays")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("holidays")


AS_IN_DOCS = """([real, shown]) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(real, shown);
}"""
"""Pictures are not to show where the tests ran."""

PAGES = {
    "overview": "/",
    "job": "/job?key=weather/q%23plot",
    "run": "",
    "broken": "/broken",
    "mail": "/mail",
    "audit": "/audit",
    "login": "/login",
}


def test_all_pages_can_be_used_by_everybody_at_every_width_by_day_and_by_night(browser: Browser, desk: Desk) -> None:
    """As far as axe can tell; and nothing is wider than the window."""
    run_id = desk.site.run("trigger", "weather/q#plot", code=0).strip()
    desk.daemon.wait_for("weather/q#plot FAILED")
    desk.site.save("weather/p.rd", BAD)
    desk.daemon.wait_for("weather/p REJECTED")
    [run_id] = re.findall(r"\d{12}-[0-9a-f]+-\d+", run_id)
    pages = {**PAGES, "run": f"/run?id={run_id}"}
    found: dict[str, object] = {}
    for dark in (False, True):
        context = browser.new_context(color_scheme="dark" if dark else "light")
        page = context.new_page()
        log_in(page, desk)
        for width in (360, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(f"{desk.url}{path}")
                shade = "dark" if dark else "light"
                if KEEPING_SHOTS and name in {"overview", "job", "run", "broken"}:
                    SHOTS.mkdir(exist_ok=True)
                    page.evaluate(AS_IN_DOCS, [str(desk.site.inputs), "/var/gavo/inputs"])
                    page.screenshot(path=SHOTS / f"{name}-{width}-{shade}.png", full_page=True)
                violations = Axe().run(page).response["violations"]
                wider = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                if violations or wider > 0:
                    found[f"{name} {width} {shade}"] = (
                        [(each["id"], each["nodes"][0]["html"]) for each in violations],
                        wider,
                    )
        context.close()
    assert found == {}


def test_what_is_wrong_would_be_noticed(page: Page, desk: Desk) -> None:
    page.goto(desk.url)
    page.evaluate("() => document.querySelectorAll('label').forEach(label => label.replaceWith(...label.childNodes))")
    assert {each["id"] for each in Axe().run(page).response["violations"]} >= {"select-name"}


def test_pages_work_without_javascript(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(20_000)
    log_in(page, desk)
    page.get_by_role("link", name="Plot the weather").click()
    page.get_by_role("button", name="Run now").click()
    desk.daemon.wait_for("weather/q#plot FAILED")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("failing")
    context.close()
