"""Where mails lead."""

import pytest
from msgspec.structs import replace

from gavo_exec.services.mail.content import Link
from gavo_exec.services.mail.pieces import link_of
from tests.unit.services.mail.cases import POLICY


@pytest.mark.parametrize(
    ("address", "page", "about", "leads_to"),
    [
        ("", "run?id=", "r", None),
        ("https://vo/jobs/", "run?id=", "0190 ab/#", "https://vo/jobs/run?id=0190%20ab%2F%23"),
        ("https://vo", "broken", "", "https://vo/broken"),
        ("https://vo/", "", "", "https://vo/"),
        ("https://vo/x?a=1", "broken", "", "https://vo/x?a=1"),
        ("https://vo/x#a", "broken", "", "https://vo/x#a"),
    ],
)
def test_links_lead_to_the_page_that_a_mail_is_about(address: str, page: str, about: str, leads_to: str | None) -> None:
    found = link_of(replace(POLICY, dashboard_url=address), page, about)
    assert found == ([] if leads_to is None else [Link("Dashboard", leads_to)])
