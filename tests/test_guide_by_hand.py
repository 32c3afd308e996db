"""Everything that docs/operating.md tells to type, typed in a bare Debian under a systemd that runs (make soak, root).

It fetches Debian and the libraries, some 200 MB for each release; then nothing leaves the machine.
"""

import re
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bare_root import GUIDE, Machine, booted, commands, missing, section

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0), pytest.mark.skipif(bool(missing()), reason=missing())]
ROUTERS = ("router:bridgetown-1", "router:bridgetown-2", "site:exchange", "cable:eastern-caribbean-fiber-system-ecfs")


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Install as the guide says, with its first targets; each of them is loopback."""
    with tempfile.TemporaryDirectory(prefix="lambi-bare-") as made, booted(request.param, Path(made) / "root") as found:
        for line in commands("Install"):
            if "apt install" not in line and "lambi doctor" not in line:  # the one is done, the other a test of its own
                found.type(line)
        targets(found)
        yield found


def targets(machine: Machine) -> None:
    """Write the guide's first targets; what they would ask is here."""
    vantage, rows = re.findall(r"```yaml\n(.*?)```", section("The first ten targets"), re.DOTALL)
    here = re.sub(r"192\.0\.2\.\d+", "127.0.0.1", rows)
    rows = here.replace("2001:db8::1", "::1").replace("port: 22", "port: 8080")
    machine.write("lambi.yaml", vantage)
    machine.write("targets.yaml", rows)
    for line in commands("The first ten targets"):
        machine.type(line)


def states(machine: Machine) -> set[str]:
    return {machine.json(f"/api/v1/asset/{each}")["state"] for each in ROUTERS}


def all_up(machine: Machine) -> bool:
    return states(machine) == {"up"}


def test_installed_by_the_guide_it_runs_as_nobody_and_its_echoes_come_back(machine: Machine) -> None:
    machine.wait("echoes over both families", lambda: all_up(machine), 90)
    assert machine.shown("ActiveState") == "active"
    pid = machine.shown("MainPID")
    said = machine.type(f"cat /proc/{pid}/status")
    assert machine.type(f"stat -c %U /proc/{pid}").strip() == "lambi"
    assert re.findall(r"^Cap(?:Eff|Prm|Bnd|Amb):\t(\w+)$", said, re.MULTILINE) == ["0000000000002000"] * 4
    assert re.search(r"^NoNewPrivs:\t1$", said, re.MULTILINE)
    owners = machine.type("stat -c '%U %a' /var/lib/lambi /var/lib/lambi/journal.sqlite").split("\n")
    assert owners[:2] == ["lambi 700", "lambi 600"]


def test_systemd_has_nothing_to_complain_of_and_the_exposure_is_small(machine: Machine) -> None:
    assert machine.tried("systemd-analyze verify --man=no lambi.service").stderr == ""
    said = machine.type("systemd-analyze security --no-pager lambi")
    score = re.search(r"Overall exposure level for lambi\.service: (\d+\.\d+)", said)
    assert score, said
    assert float(score[1]) <= 3.0


def test_the_doctor_finds_wrong_only_what_a_machine_without_a_world_lacks(machine: Machine) -> None:
    machine.wait("the cut", lambda: "cannot see the world" in machine.tried("lambi status").stdout)
    done = machine.tried("sudo lambi doctor")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert {line.split()[1] for line in lines if line.startswith("wrong")} == {"clock", "resolver", "references"}
    assert (done.returncode, done.stderr) == (1, "")
    assert sum("by raw sockets" in line for line in lines) == 2


def test_a_secret_that_root_alone_can_read_is_handed_over(machine: Machine) -> None:
    (channels,) = re.findall(r"```yaml\n(.*?)```", section("Mail and SMS"), re.DOTALL)
    mail = channels.split("  sms:")[0]
    machine.type("printf 'a secret\\n' | sudo install -m 600 /dev/stdin /etc/lambi/secrets/mail")
    kept = (machine.root / "etc/lambi/lambi.yaml").read_text()
    machine.write("lambi.yaml", kept + mail)
    machine.type("sudo lambi config check && systemctl restart lambi")
    machine.wait("the page", lambda: machine.get("/")[0] == 200)
    assert machine.shown("ActiveState") == "active"
    assert "a secret" not in machine.log()


def test_a_config_that_cannot_be_used_is_refused_and_the_old_one_goes_on(machine: Machine) -> None:
    before = machine.shown("MainPID")
    machine.write("contacts.yaml", "contacts: [{name: noc, agency: X, zone: Nowhere/Nothing}]\n")
    assert machine.tried("sudo lambi config check").returncode == 1
    assert machine.tried("systemctl reload lambi").returncode == 1
    assert "Nowhere/Nothing" in machine.type("systemctl status lambi --no-pager -n 50")
    assert (machine.shown("ActiveState"), machine.shown("MainPID")) == ("active", before)
    machine.type("rm /etc/lambi/contacts.yaml; systemctl reload lambi")


def test_killed_or_hung_it_is_started_anew_where_it_was(machine: Machine) -> None:
    def number() -> str:
        (incident,) = machine.json("/api/v1/incidents")["incidents"]
        return f"{incident['id']} {incident['open']} {incident['opened']}"

    def again(before: int) -> bool:
        return int(machine.shown("NRestarts")) > before and machine.get("/")[0] == 200

    incident = machine.wait("the cut", number)
    for how in (signal.SIGKILL, signal.SIGSTOP):
        before = int(machine.shown("NRestarts"))
        machine.type(f"systemctl kill --kill-whom=main -s {how.name} lambi")
        machine.wait(how.name, lambda before=before: again(before), 120)  # type: ignore[misc] # bound at once
        assert machine.wait("the same incident", number) == incident
    assert "Watchdog timeout" in machine.log()


def test_backup_upgrade_and_restore_go_as_the_guide_says(machine: Machine) -> None:
    machine.type("mkdir -p /var/backups")
    backup, restore, doctor = commands("Backup")
    (cron,) = re.findall(r"^17 3 \* \* \* root (.*)$", GUIDE, re.MULTILINE)
    before = machine.json("/api/v1/incidents")["incidents"]
    machine.type(backup)
    machine.type("rm /var/backups/lambi-2*; " + cron.replace("\\%", "%") + "; ls /var/backups/lambi-2*")
    for line in commands("Upgrade"):
        machine.type(line)
    machine.wait("the page", lambda: machine.get("/")[0] == 200)
    machine.type("systemctl stop lambi; mv /var/lib/lambi /var/lib/lost; mv /etc/lambi /etc/lost")
    machine.type("mkdir -p /etc/lambi/secrets; cp /etc/lost/secrets/* /etc/lambi/secrets  # as it says")
    said = machine.type(re.sub(r"lambi-\d{4}-\d\d-\d\d", "lambi-2*", restore.split("#")[0]))
    assert "secrets are in no backup; put into place: the file /etc/lambi/secrets/mail" in said
    machine.tried(doctor.split(";")[0])
    machine.type(doctor.split(";")[1])
    machine.wait("echoes", lambda: all_up(machine), 90)
    after = machine.json("/api/v1/incidents")["incidents"]
    assert [(one["id"], one["opened"]) for one in after] == [(one["id"], one["opened"]) for one in before]
    assert set(machine.type("stat -c %U /var/lib/lambi /var/lib/lambi/*").split()) == {"lambi"}


def test_it_ends_within_two_seconds(machine: Machine) -> None:
    began = time.monotonic()
    machine.type("systemctl stop lambi")
    assert time.monotonic() - began < 2.5
    assert machine.shown("Result") == "success"
    assert "Traceback" not in machine.log()
