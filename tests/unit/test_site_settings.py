"""A site's own actions: what they do, and which mistakes are refused, with the line."""

from pathlib import Path

import pytest

from server.answers import Horizon, answer
from server.config import load
from server.history import tell
from server.rulebook import actions_table
from server.site import Site
from server.trial import differences
from shared.actions import lacks
from shared.api.items import ItemAnswer
from shared.errors import ConfigError
from shared.moments import SECOND
from tests.telling import MINUTE, START, Memory, story


def read(tmp_path: Path, text: str) -> Site:
    path = tmp_path / "server.toml"
    path.write_text(text)
    return load(path, {}).site()


def ask(site: Site, minute: int, *told: str, item: str = "P") -> ItemAnswer:
    at = START + minute * MINUTE
    telling = tell(Memory(story(*told), at), item, site.actions)
    return answer(telling, item, at=at, known_at=at, horizon=Horizon(), site=site)


WASH = """
stale_hours = { washed = 1 }
[next_steps]
washed = ["store"]
[actions.store]
status = "put away"
[actions.wash]
like = "store"
status = "washed"
[actions.buy]
containment = "enters"
holder = "takes"
status = "bought"
"""


def test_a_site_has_its_own_words_and_actions(tmp_path: Path) -> None:
    site = read(tmp_path, WASH)
    assert ask(site, 5, "1 a store P @X").status == "put away"
    found = ask(site, 5, "1 a pick P @X by=B-1", "2 a wash P @Y")
    assert (found.status, found.custodian, found.location) == ("washed", None, "Y")
    bought = ask(site, 5, "1 a buy P @X by=B-1 in=C")
    assert (bought.path, bought.custodian) == (["C"], "B-1")
    assert ask(site, 5, "1 a buy P @X by=B-1 in=C", item="C").location == "X"
    (told,) = story("1 a buy P @X by=B-1")
    assert lacks(told.line, site.actions) == "buy needs container"
    assert "| `wash` | washed | released |" in actions_table(site)


def test_a_deadline_of_a_status_opens_by_itself(tmp_path: Path) -> None:
    site = read(tmp_path, WASH)
    told = ("1 a wash P @X",)
    assert ask(site, 60, *told).exceptions == []
    (found,) = ask(site, 61, *told).exceptions
    assert (found.code, found.event) == ("stale", "a:1")
    assert found.text == "P is washed since 2026-04-24 03:07 UTC: longer than 1 hour."
    assert ask(site, 90, *told, "70 a store P @X").exceptions == []
    assert ask(site, 90, *told, "70 a resolve P of=stale").exceptions == []
    assert ask(site, 200, *told, "70 a resolve P of=stale").exceptions == []


def test_a_step_that_is_not_expected_is_told(tmp_path: Path) -> None:
    site = read(tmp_path, WASH)
    (found,) = ask(site, 5, "1 a wash P @X", "2 a pick P @X by=B-1").exceptions
    assert found.code == "unexpected_step"
    assert found.text.endswith("expected was store.")
    assert ask(site, 5, "1 a wash P @X", "2 a store P @X").exceptions == []
    settled = ("1 a wash P @X", "2 a pick P @X by=B-1", "3 a accept P @X by=B-2")
    assert ask(site, 5, *settled).exceptions == []


def test_the_limit_of_a_handoff_is_the_sites(tmp_path: Path) -> None:
    site = read(tmp_path, "handoff_minutes = 5\n")
    assert site.handoff == 300 * SECOND
    (found,) = ask(site, 6, "1 a pick P @X by=B-1").exceptions
    assert "within 5 minutes" in found.text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n[actions.store]\nholder = 'takes'\n", 2, "only the status"),
        ("[actions.see]\nstatus = 'seen'\n", 2, "leads to no status"),
        ("[actions.Wash]\nstatus = 'x'\n", 1, "a letter first"),
        ("[actions.wash]\nlike = 'stor'\n", 2, "there are: accept"),
        ("[actions.wash]\nlike = 'claim'\n", 2, "no action that one can be like"),
        ("[actions.wash]\nlike = 'count'\n", 2, "no action that one can be like"),
        ("[actions.wash]\nplace = 'unsaid'\n", 2, "every added action is a scan"),
        ("[actions.wash]\nplace = 'gone'\n", 1, "needs a status"),
        ("[actions.wash]\nhandoff = true\n", 2, 'add holder = "takes"'),
        ("[actions.wash]\nstatsu = 'x'\n", 2, "status"),
        ("[actions.wash]\nholder = 'gives'\n", 2, "gives"),
        ('[actions.wash]\nstatus = "a\\u001b[1m"\n', 2, "status"),
        ("[stale_hours]\nwashd = 4\n", 2, "no action leads to this status"),
        ("[stale_hours]\nstored = 0\n", 2, "more than 0"),
        ("[next_steps]\nstored = ['see']\n", 2, "leads to a status"),
        ("handoff_minutes = 0\n", 1, "handoff_minutes"),
    ],
)
def test_a_mistake_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert refused.value.line == line
    assert words in str(refused.value)


def test_another_table_is_tried_on_what_is_there(tmp_path: Path) -> None:
    told = story("1 a store P @X", "2 a see Q @X", "3 a wash R @X")
    at = START + 9 * MINUTE
    old, new = Site(), read(tmp_path, WASH)
    reader = Memory(told, at)
    found = list(differences("PQR", (reader, old), (reader, new), at))
    assert [one.item for one in found] == ["P", "R"]
    assert found[0].fields == {"status": ("stored", "put away")}
    assert found[1].fields["status"] == ("", "washed")
