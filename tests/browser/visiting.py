"""How a person comes to the console's screens, and what each of them has to be."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from server.api.rates import PASSWORDS, RATES
from server.limits import Limiter
from tests.browser.conftest import Opens
from tests.browser.looking import WIDER, findings
from tests.browser.warehouse import PASSWORD, Warehouse

LOOKS: dict[str, dict[str, Any]] = {
    "desk-light": {"viewport": {"width": 1280, "height": 800}},
    "hand-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
DESK = LOOKS["desk-light"]
HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\" onfocus=alert(1) autofocus x='",
    "=HYPERLINK(1)",
    "P-\u202e1234\u2066",
    "\u05d0\u05d1\u05d2-" + "W" * 900,
)


def enter(opened: Opens, house: Warehouse, name: str, **look: Any) -> Page:  # noqa: ANN401 - Playwright's
    """Sign in as a person does, who did not try ten passwords just before."""
    house.service.app[RATES]._names = Limiter(1, PASSWORDS)
    page = opened(f"{house.url}/", **(look or DESK))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Where is it?").wait_for()
    return page


def look_at(page: Page, axe: str, picture: Path) -> None:
    """Take a picture of the screen: it fits, and axe finds nothing in it."""
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate(WIDER) == 0, page.url
    assert findings(page, axe) == [], page.url


def go_through(
    page: Page,
    house: Warehouse,
    screens: Iterable[str],
    axe: str,
    pictures: Path,
    *,
    says: str = "",
) -> None:
    """Look at each screen; it is there, and says what it has to."""
    for number, screen in enumerate(screens):
        answer = page.goto(f"{house.url}{screen}")
        assert answer is not None
        assert answer.status == 200, screen
        expect(page.locator("#main")).to_contain_text(says)
        look_at(page, axe, pictures / f"{number}.png")
