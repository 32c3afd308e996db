"""The daemon and its store: verdicts need no disk for measurements, and what was measured stands on the page."""

from pathlib import Path

from tests.monitor.test_app import daemon, pytestmark

__all__ = ["pytestmark"]

LOOPBACK = "assets: [{id: 'router:lo', name: Loopback router, territory: BB}]\ntargets: ['router:lo 127.0.0.1']\n"


def test_while_measurements_cannot_be_stored_verdicts_come_all_the_same_and_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "series").write_text("a file in place of the folder")
    with daemon(tmp_path) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        (incident,) = lambi.wait("the vantage's incident", lambda: lambi.json("/api/v1/incidents")["incidents"])
        assert "cut off" in incident["title"]
        notes = lambi.wait("the note", lambda: [n for n in lambi.json("/api/v1/status")["notes"] if "not" in n])
        assert any("measurements are not being stored" in note for note in notes), notes
    assert lambi.process.returncode == 0
    assert "Traceback" not in lambi.log()


def test_what_was_measured_stands_on_the_page_of_the_asset(tmp_path: Path) -> None:
    with daemon(tmp_path, config=LOOPBACK) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        page = lambi.wait(
            "a chart", lambda: (text := lambi.get("/asset/router:lo")[1]).count('<svg class="ch"') and text
        )
        assert "What was measured" in page
    assert "Traceback" not in lambi.log()
