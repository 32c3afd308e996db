"""`lambi doctor`: every finding is said with what mends it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import doctor
from monitor.cli import doctor as command
from monitor.config import load
from monitor.config.places import Place
from monitor.config.settings import Door
from monitor.doctor import Verdict
from probes.clock import UNREADABLE, UNSYNCHRONISED, Discipline
from tests.monitor.test_app import ROOT, daemon

root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a network of its own"
)


def statvfs(folder: Path, **other: int) -> os.statvfs_result:
    found = os.statvfs(folder)
    names = (
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
    )
    return os.statvfs_result([other.get(name, getattr(found, name)) for name in names])


def test_a_disk_is_judged_by_what_is_left(tmp_path: Path) -> None:
    room = {"f_frsize": 4096, "f_files": 10**6, "f_favail": 10**6, "f_flag": 0}
    assert doctor.room(statvfs(tmp_path, **room, f_bavail=10**7), tmp_path).verdict is Verdict.OK
    assert doctor.room(statvfs(tmp_path, **room, f_bavail=10**5), tmp_path).verdict is Verdict.WARNING
    assert doctor.room(statvfs(tmp_path, **room, f_bavail=10), tmp_path).verdict is Verdict.WRONG
    few = {**room, "f_favail": 3}
    assert "no more files" in doctor.room(statvfs(tmp_path, **few, f_bavail=10**7), tmp_path).says
    frozen = {**room, "f_flag": os.ST_RDONLY}
    assert "read-only" in doctor.room(statvfs(tmp_path, **frozen, f_bavail=10**7), tmp_path).says
    assert doctor.disk(tmp_path / "not" / "there").about == "disk"


def test_a_clock_nobody_steers_is_wrong_and_one_nobody_can_read_is_unknown() -> None:
    assert doctor.clock(Discipline(True, 0.01, "clock synchronised, within 0.010 s")).verdict is Verdict.OK
    assert doctor.clock(Discipline(True, 3.0, "clock synchronised, within 3.000 s")).verdict is Verdict.WARNING
    assert doctor.clock(Discipline(False, 0.0, UNSYNCHRONISED)).verdict is Verdict.WRONG
    assert doctor.clock(Discipline(False, 0.0, UNREADABLE)).verdict is Verdict.UNKNOWN


def test_one_family_without_answers_is_a_warning_and_both_are_wrong() -> None:
    def verdicts(*answered: set[str]) -> list[str]:
        return [one.verdict.value for one in doctor.references(dict(zip((4, 6), answered, strict=False)), 2)]

    assert verdicts({"a", "b"}, {"a", "b"}) == ["ok", "ok"]
    assert verdicts({"a", "b"}, {"a"}) == ["ok", "warning"]
    assert verdicts({"a"}, set()) == ["wrong", "wrong"]
    assert verdicts(set()) == ["wrong"]


def test_names_that_nobody_knows_are_counted_and_named() -> None:
    assert doctor.resolver([], {}).verdict is Verdict.OK
    assert doctor.resolver(["a.example"], {"a.example": True}).verdict is Verdict.OK
    assert "not known: b.example" in doctor.resolver(["a.example", "b.example"], {"a.example": True}).says
    assert doctor.resolver(["a.example", "b.example"], {}).verdict is Verdict.WRONG


def test_a_secret_that_others_can_read_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2")
    file.chmod(0o644)
    places = [Place("env", "LAMBI_X"), Place("file", str(file)), Place("file", str(tmp_path / "gone"))]
    (found,) = doctor.secrets(places)
    assert (found.verdict, found.mend) == (Verdict.WRONG, f"chmod go= {file}")
    assert "hunter2" not in str(found)
    file.chmod(0o600)
    assert [one.verdict for one in doctor.secrets(places)] == [Verdict.OK]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_files_of_another_user_in_the_state_folder_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").touch(0o600)
    tmp_path.chmod(0o700)
    assert [one.verdict for one in doctor.state(tmp_path)] == [Verdict.OK]
    os.chown(tmp_path / "journal.sqlite", 12345, 12345)
    (found,) = doctor.state(tmp_path)
    assert found.mend == f"chown -R --reference={tmp_path} {tmp_path}"
    os.chown(tmp_path / "journal.sqlite", 0, 0)
    tmp_path.chmod(0o755)
    (tmp_path / "journal.sqlite").chmod(0o644)
    assert [one.mend for one in doctor.state(tmp_path)] == [f"chmod 700 {tmp_path}"]


def test_doors_are_free_or_answer_or_the_finding_says_who_is_in_the_way(tmp_path: Path) -> None:
    settings = load(tmp_path)

    def said(*, running: bool, taken: bool) -> list[str]:
        return [one.says for one in doctor.doors(settings, running=running, taken=lambda _: taken)]

    assert said(running=False, taken=False) == ["free"]
    assert said(running=True, taken=True) == ["open"]
    assert "127.0.0.1:8080 is taken by another program" in said(running=False, taken=True)
    assert "nothing listens at 127.0.0.1:9115" in said(running=True, taken=False)


def test_a_port_is_busy_while_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert doctor.busy(Door("127.0.0.1", port))
    assert not doctor.busy(Door("127.0.0.1", port))


def test_a_fresh_config_reaches_nobody_and_nobody_would_notice(tmp_path: Path) -> None:
    settings = load(tmp_path)
    (found,) = doctor.people(settings, None, running=False)
    assert (found.verdict, found.says) == (Verdict.WARNING, "nobody can be reached")
    assert doctor.heartbeat(settings).verdict is Verdict.WARNING


CONTACTS = "contacts: [{name: noc, agency: X, addresses: [{channel: sms, to: '+12464170001'}]}]\n"
SMS = "channels: {sms: {enabled: true, url: 'http://sms.example/', username: l, password: {env: LAMBI_X}}}\n"


def test_addresses_that_nobody_confirmed_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "contacts.yaml").write_text(CONTACTS)
    (tmp_path / "lambi.yaml").write_text(SMS + "web: {base_url: 'https://lambi.example'}\n")
    settings = load(tmp_path, {"LAMBI_X": "y"})
    assert [one.verdict for one in doctor.people(settings, None, running=True)] == [Verdict.OK]
    assert [one.verdict for one in doctor.people(settings, "2 addresses", running=True)] == [Verdict.WARNING]
    assert [one.verdict for one in doctor.people(settings, None, running=False)] == [Verdict.UNKNOWN]
    assert "sms.example" in list(command._names(settings))


def asked(folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Ask the doctor where there is nothing but loopback."""
    inside = (
        f"ip link set lo up && exec {before} {sys.executable} -m monitor.cli doctor --config {folder} {' '.join(words)}"
    )
    net = ["unshare", "--net", "sh", "-c", inside]
    return subprocess.run(net, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@root
def test_before_the_first_start_it_looks_for_itself(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'var'}}}\n")
    done = asked(tmp_path, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    by_name = {one["about"]: one for one in found["findings"]}
    assert found["ok"] is False
    assert by_name["references"]["verdict"] == "wrong"
    assert by_name["daemon"]["says"] == "none runs here"
    assert by_name["doors"]["says"] == "free"
    assert by_name["icmp"]["verdict"] == "ok"
    assert set(by_name) >= {"config", "secrets", "state", "journal", "disk", "open files", "icmp", "clock", "resolver"}
    assert set(by_name) >= {"references", "doors", "contacts", "heartbeat", "daemon"}
    assert all(one["mend"] for one in found["findings"] if one["verdict"] in {"warning", "wrong"})
    assert not (tmp_path / "var").exists(), "it looks, and changes nothing"


@root
def test_without_the_right_to_send_echoes_it_says_who_gives_it(tmp_path: Path) -> None:
    done = asked(tmp_path, before="setpriv --bounding-set=-net_raw --inh-caps=-net_raw")
    assert "wrong    icmp         IPv4: no permission for raw sockets" in done.stdout
    assert "to mend: start it by the unit (lambi install --systemd)" in done.stdout


@root
def test_a_daemon_that_runs_is_asked(tmp_path: Path) -> None:
    net = ["sh", "-c", 'exec nsenter --net=/proc/$(cat "$0/var/lock")/ns/net "$@"', str(tmp_path)]
    words = [*net, sys.executable, "-m", "monitor.cli", "doctor", "--json", "--config", str(tmp_path / "config")]
    with daemon(tmp_path, config="guard: {every: 1s, timeout: 500ms}\n") as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        soon = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        lambi.wait("the cut", lambda: lambi.json("/api/v1/status")["vantage"]["cannot_see_the_world"])
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)["findings"]
    assert done.returncode == 1
    assert any(one["about"] == "daemon" and one["says"].startswith("it runs: ") for one in found)
    assert {"about": "doors", "verdict": "ok", "says": "open", "mend": None} in found
    assert any(one["about"] == "references" and one["verdict"] == "wrong" for one in found)
    before = [one["verdict"] for one in json.loads(soon.stdout)["findings"] if one["about"] == "references"]
    assert "ok" not in before, "who has only begun to look has seen nothing"
