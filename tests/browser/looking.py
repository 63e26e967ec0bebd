"""What a person, and a program in a person's place, sees and hears of the page."""

from typing import Any

from playwright.sync_api import Page

FINDINGS = """
async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  (found) => `${found.id}: ${found.nodes.map((node) => node.html).join(" ")}`,
)
"""
SMALL = """
() => [...document.querySelectorAll("button")]
  .filter((button) => button.offsetParent !== null)
  .map((button) => ({ text: button.textContent, box: button.getBoundingClientRect() }))
  .filter(({ box }) => box.width < 64 || box.height < 64)
  .map(({ text, box }) => `${text}: ${box.width} x ${box.height}`)
"""
CUT = """
() => [...document.querySelectorAll("#latest > *")]
  .filter((element) => element.tagName === "svg" || element.textContent !== "")
  .filter((element) => {
    const [inner, outer] = [element, element.closest("section")].map(
      (one) => one.getBoundingClientRect());
    return inner.left < outer.left || inner.right > outer.right
      || inner.top < outer.top || inner.bottom > outer.bottom;
  })
  .map((element) => element.id)
"""
WIDER = "() => document.documentElement.scrollWidth - innerWidth"


def text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def until_scan(page: Page, code: str) -> None:
    """Wait until the latest scan is this one."""
    page.locator("#code", has_text=code).wait_for()


def notes(page: Page) -> list[dict[str, Any]]:
    """Return the notes that were played since this was last asked."""
    played: list[dict[str, Any]] = page.evaluate("window.notes.splice(0)")
    return played


def findings(page: Page, axe: str) -> list[str]:
    """Return what axe finds."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(FINDINGS)
    return found
