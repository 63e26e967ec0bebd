"""The site's plan: taken over at a terminal, served as a picture, beneath the map."""

import re
import subprocess
from pathlib import Path

import msgspec

from server.api.context import CONTEXT
from server.plan_command import PLAN
from tests.programs import BIN
from tests.serving import Service

_DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">'
    '<script>alert(1)</script><rect width="40" height="20" fill="none"/></svg>'
)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "scantrail-server"), "plan", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_drawing_is_taken_over_refused_and_taken_away(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "site.svg"
    file.write_text(_DRAWING)
    taken = _command(str(file), "--data", str(data))
    assert (taken.returncode, taken.stdout) == (0, "")
    assert "x 0 to 40 and y 0 to 20" in taken.stderr
    assert "Left out: 1 script." in taken.stderr
    kept = (data / PLAN).read_text()
    assert "<rect" in kept
    assert "script" not in kept
    file.write_text("<html/>")
    refused = _command(str(file), "--data", str(data))
    assert refused.returncode != 0
    assert "Nothing was changed" in refused.stderr
    assert (data / PLAN).read_text() == kept
    assert _command("--data", str(data)).returncode == 0
    assert not (data / PLAN).exists()


async def test_the_plan_is_a_picture_that_can_do_nothing(service: Service) -> None:
    kept = service.folder / PLAN
    context = msgspec.structs.replace(service.context, plan=kept)
    service.app._state[CONTEXT] = context
    headers = {"Authorization": f"Bearer {service.keys['read']}"}

    async def get(path: str) -> tuple[int, str, str, str]:
        async with service.session.get(
            f"{service.url}{path}", headers=headers
        ) as answer:
            policy = answer.headers.get("Content-Security-Policy", "")
            return answer.status, answer.content_type, policy, await answer.text()

    assert "<img" not in (await get("/floor"))[3]
    kept.write_text(_DRAWING)  # as somebody would who does not use the command
    page = (await get("/floor"))[3]
    found = re.search(r'<img src="(/floor/plan/[0-9a-f]{16})"', page)
    assert found is not None
    status, media, policy, text = await get(found[1])
    assert (status, media) == (200, "image/svg+xml")
    assert policy == "default-src 'none'; sandbox"
    assert "<rect" in text
    assert "script" not in text
    assert (await get("/floor/plan/0"))[0] == 404
    kept.write_text("<!DOCTYPE x><svg/>")
    assert "<img" not in (await get("/floor"))[3]
