"""`lambi backup` and `lambi restore`: what goes on is what was, and nothing is written over."""

import gzip
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.backup import JOURNAL, MANIFEST, BackupError, back_up
from monitor.config import Settings, load
from monitor.instance import Instance, TakenError
from monitor.restore import Archive, restore_config, restore_journal
from tests.counts import soak
from tests.fakes import START
from tests.monitor.test_crash import STORIES, Daemon, check_texts, ended

YAML = """
store: {{folder: {state}}}
channels:
  mail: {{kind: smtp, host: mail.example.net, sender: lambi@example.net, username: l, password: {{env: LAMBI_MAIL}}}}
  sms: {{kind: kannel, url: "http://127.0.0.1/", username: l, password: {{file: /etc/lambi/secrets/sms}}}}
"""


def configured(tmp_path: Path) -> tuple[Path, Settings]:
    """Make a config folder with a secret beside the files, and the settings that it gives."""
    folder = tmp_path / "config"
    (folder / "inventory").mkdir(parents=True)
    (folder / "lambi.yaml").write_text(YAML.format(state=tmp_path / "var"))
    (folder / "shifts.ics").write_text("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    (folder / "sms-password").write_text("hunter2")
    return folder, load(folder)


def within(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def lived(tmp_path: Path, name: str, seconds: float) -> Daemon:
    daemon = Daemon(STORIES[name], tmp_path / "var")
    await daemon.open()
    await daemon.run(seconds)
    return daemon


async def taken_up(archive: Path, folder: Path, daemon: Daemon) -> Daemon:
    """Restore and go on with the same story, at the moment at which the other one stands."""
    opened = Archive(archive)
    await restore_journal(opened, folder, daemon.clock.now())
    opened.close()
    other = Daemon(daemon.story, folder, daemon.clock.elapsed)
    await other.open()
    return other


FACTS = (
    "SELECT id, asset, kind, severity, began, opened, closed FROM incident ORDER BY id",
    "SELECT * FROM state ORDER BY check_id, part",
    "SELECT * FROM escalation ORDER BY incident, ladder",
    "SELECT id, incident, contact, channel, reason, state, due_at, deadline_at FROM notification ORDER BY id",
)


@pytest.mark.parametrize("name", STORIES)
async def test_restored_at_any_moment_it_goes_on_and_nothing_is_said_twice(tmp_path: Path, name: str) -> None:
    story = STORIES[name]
    _, settings = configured(tmp_path)
    daemon = await lived(tmp_path, name, 15)
    while daemon.clock.elapsed < story.seconds - 20:
        file = tmp_path / f"{daemon.clock.elapsed:.0f}.tar.gz"
        back_up(settings, None, file, daemon.clock.now())
        before = daemon.taken()
        other = await taken_up(file, tmp_path / file.stem, daemon)
        for query in FACTS:
            assert await other.journal.read(query) == await daemon.journal.read(query), query
        await other.run(story.seconds - other.clock.elapsed + 40)
        assert tuple(await ended(other)) == story.incidents
        for form, later in other.taken().items():
            check_texts((*before[form], *later), story.incidents)
        await other.close()
        await daemon.run(soak(ci=15, soak=1))
    await daemon.close()


async def test_a_backup_holds_journal_and_config_and_says_what_it_does_not_hold(tmp_path: Path) -> None:
    folder, settings = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 40)
    (tmp_path / "var" / "series").mkdir()
    (tmp_path / "var" / "series" / "2026-09-01.sqlite").write_bytes(b"1234")
    file = tmp_path / "lambi.tar.gz"
    made = back_up(settings, folder, file, START)
    with tarfile.open(file) as found:
        assert found.getnames() == [MANIFEST, JOURNAL, "config/lambi.yaml", "config/shifts.ics"]
        assert json.load(found.extractfile(MANIFEST) or io.BytesIO())["made"] == "2026-09-01T12:00:00+00:00"
    assert made.series == {"2026-09-01.sqlite": 4}
    assert made.secrets == ["the environment variable LAMBI_MAIL", "the file /etc/lambi/secrets/sms"]
    assert made.left_out == ["sms-password"]
    assert b"hunter2" not in gzip.decompress(file.read_bytes())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert within(tmp_path) == ["config", "lambi.tar.gz", "var"]
    await daemon.close()


async def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder, settings = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 5)
    file = tmp_path / "lambi.tar.gz"
    back_up(settings, folder, file, START)
    whole = file.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        back_up(settings, folder, file, START)
    assert file.read_bytes() == whole
    archive = Archive(file)
    with pytest.raises(BackupError, match="a journal is there already"):
        await restore_journal(archive, tmp_path / "var", START)
    (other := tmp_path / "other").mkdir()
    with Instance(other), pytest.raises(TakenError, match="another Lambi runs here"):
        await restore_journal(archive, other, START)
    assert restore_config(archive.config(), folder) == 0, "what is there and the same stays"
    (folder / "shifts.ics").write_text("another\n")
    (folder / "lambi.yaml").unlink()
    with pytest.raises(BackupError, match=r"shifts\.ics: is there already and differs"):
        restore_config(archive.config(), folder)
    assert not (folder / "lambi.yaml").exists(), "nothing was written"
    archive.close()
    await daemon.close()


async def test_a_disk_that_is_full_leaves_no_half_a_backup(tmp_path: Path) -> None:
    _, settings = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 5)
    with pytest.raises(FileNotFoundError):
        back_up(settings, None, tmp_path / "nowhere" / "x", START)
    await daemon.close()
    (tmp_path / "var" / JOURNAL).write_bytes(b"no journal" * 1000)
    with pytest.raises(Exception, match="cannot be copied"):
        back_up(settings, None, tmp_path / "x", START)
    assert within(tmp_path) == ["config", "var"]


def repacked(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write the same archive with other members."""
    with tarfile.open(file) as old:
        members = {name: (old.extractfile(name) or io.BytesIO()).read() for name in old.getnames()}
    change(members)
    fresh = file.with_name("changed.tar.gz")
    with tarfile.open(fresh, "w:gz") as new:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            new.addfile(member, io.BytesIO(text))
    return fresh


def other_manifest(**more: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[MANIFEST] = json.dumps({**json.loads(members[MANIFEST]), **more}).encode()

    return change


async def test_what_is_damaged_strange_or_newer_is_refused_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder, settings = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 30)
    file = tmp_path / "lambi.tar.gz"
    back_up(settings, folder, file, START)
    await daemon.close()
    state = tmp_path / "fresh"

    async def used(other: Path) -> None:
        archive = Archive(other)
        try:
            archive.config()
            await restore_journal(archive, state, START)
        finally:
            archive.close()

    async def refused(other: Path) -> str:
        with pytest.raises(BackupError) as said:
            await used(other)
        assert not state.exists() or within(state) == ["lock"]
        return str(said.value)

    whole = file.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for size in (0, 5, 100, len(whole) // 2, len(whole) * 3 // 4):
        cut.write_bytes(whole[:size])
        assert "is no backup of Lambi" in await refused(cut)
    assert "No such file" in await refused(tmp_path / "nothing")
    assert "is no backup" in await refused(repacked(file, lambda members: members.pop(MANIFEST) and None))
    assert "journal.sqlite is not in it" in await refused(repacked(file, lambda members: members.pop(JOURNAL) and None))
    swapped = repacked(file, lambda members: members.update({"config/lambi.yaml": b"x: 1"}))
    assert "config/lambi.yaml is not what was packed" in await refused(swapped)
    outside = repacked(file, other_manifest(files={"config/../../etc/passwd": {"bytes": 1, "sha256": ""}}))
    assert "outside the config folder" in await refused(outside)
    assert "install that version or a newer one" in await refused(repacked(file, other_manifest(format=2, lambi="9.0")))
    ahead = {"monitor": ["the line", "a step of next year"]}
    assert "'a step of next year' is not known here" in await refused(repacked(file, other_manifest(schema=ahead)))
    assert "alerting: " in await refused(repacked(file, other_manifest(schema={"alerting": ["another beginning"]})))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
async def test_restored_by_root_it_belongs_to_whom_the_folder_belongs_to(tmp_path: Path) -> None:
    _, settings = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 5)
    back_up(settings, None, tmp_path / "x", START)
    await daemon.close()
    state = tmp_path / "theirs"
    state.mkdir()
    os.chown(state, 12345, 12345)
    archive = Archive(tmp_path / "x")
    await restore_journal(archive, state, START)
    archive.close()
    assert {path.stat().st_uid for path in state.iterdir()} == {12345}
    assert stat.S_IMODE((state / JOURNAL).stat().st_mode) == 0o600


async def test_a_secret_that_lies_in_the_folder_is_named_once_as_what_it_is(tmp_path: Path) -> None:
    folder, _ = configured(tmp_path)
    text = (folder / "lambi.yaml").read_text()
    (folder / "lambi.yaml").write_text(text.replace("/etc/lambi/secrets/sms", str(folder / "sms-password")))
    await (await lived(tmp_path, "a cable", 5)).close()
    made = back_up(load(folder), folder, tmp_path / "lambi.tar.gz", START)
    assert f"the file {folder}/sms-password" in made.secrets
    assert made.left_out == []
