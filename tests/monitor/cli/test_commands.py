"""Commands that need no daemon."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import COMMANDS, version
from monitor.cli.say import visible
from probes import PROBES
from tests.monitor.cli.conftest import Lambi

ROOT = Path(__file__).parents[3]


def start(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor.cli", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_is_that_of_the_project() -> None:
    done = start("--version")
    assert (done.returncode, done.stdout) == (0, f"lambi {version()}\n")
    assert f'version = "{version()}"' in (ROOT / "pyproject.toml").read_text()


def test_the_version_costs_no_heavy_import() -> None:
    code = "import sys, monitor.cli; print([m for m in ('aiohttp', 'pydantic', 'yaml', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS), *(["probe", kind] for kind in PROBES)])
async def test_every_help_teaches_and_names_the_exit_codes(lambi: Lambi, words: list[str]) -> None:
    said = await lambi(*words, "--help")
    assert said.code == 0
    assert "Exit codes" in said.out
    assert "lambi" in said.out


async def test_help_says_what_the_code_says_of_a_setting(lambi: Lambi) -> None:
    said = await lambi("probe", "icmp", "--help")
    assert "Bytes after the ICMP header" in " ".join(said.out.split())


async def test_a_probe_ends_with_its_verdict(lambi: Lambi) -> None:
    said = await lambi("probe", "tcp", "127.0.0.1", "--port", "1", "--json")
    fact = json.loads(said.out)
    assert (said.code, fact["parts"][""]["outcome"]) == (1, "failed")
    assert fact["settings"] == {"port": 1}


async def test_a_probe_that_cannot_look_ends_with_4(lambi: Lambi) -> None:
    said = await lambi("probe", "tcp", "no.such.name.invalid", "--port", "1")
    assert said.code == 4
    assert "UNKNOWN" in said.out


async def test_a_setting_out_of_range_is_a_sentence(lambi: Lambi) -> None:
    said = await lambi("probe", "tcp", "127.0.0.1", "--port", "70000")
    assert (said.code, said.err) == (2, "port: 70000; 1 to 65535 expected\n")


async def test_the_shipped_config_is_fine(lambi: Lambi, folder: Path) -> None:
    said = await lambi("config", "check", "--config", folder, "--json")
    assert (said.code, said.err) == (0, "")
    fact = json.loads(said.out)
    assert fact["ok"]
    assert fact["checks"] > 0


async def test_every_problem_of_a_config_is_listed(lambi: Lambi, folder: Path) -> None:
    (folder / "lambi.yaml").write_text("web: {publik: 1}\nvantag: {}\n")
    said = await lambi("config", "check", "--config", folder)
    assert said.code == 1
    assert "lambi.yaml:1" in said.out
    assert "lambi.yaml:2" in said.out
    as_json = json.loads((await lambi("config", "check", "--config", folder, "--json")).out)
    assert [one["line"] for one in as_json["problems"]] == [1, 2]


async def test_notes_are_said_and_nothing_fails(lambi: Lambi, folder: Path) -> None:
    (folder / "contacts.yaml").write_text("contacts:\n  - {name: noc, agency: Net}\n")
    said = await lambi("config", "check", "--config", folder)
    assert said.code == 0
    assert f'note: {folder}/contacts.yaml:2: contacts[0].name: no route names "noc"' in said.out
    (note,) = json.loads((await lambi("config", "check", "--config", folder, "--json")).out)["notes"]
    assert (note["file"], note["line"], note["path"]) == (f"{folder}/contacts.yaml", 2, "contacts[0].name")
    assert note["expected"] == "a route with contacts: [noc]"


async def test_other_commands_refuse_a_broken_config(lambi: Lambi, folder: Path) -> None:
    (folder / "lambi.yaml").write_text("vantag: {}\n")
    said = await lambi("run", "--config", folder)
    assert (said.code, said.out) == (2, "")
    assert "1 problem in the config: nothing was done" in said.err


async def test_a_config_folder_that_is_not_there_is_a_sentence(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("config", "check", "--config", tmp_path / "none")
    assert said.code == 2
    assert said.err.endswith("there is no such config folder\n")


async def test_the_schema_is_a_schema(lambi: Lambi) -> None:
    assert "properties" in json.loads((await lambi("config", "schema")).out)


async def test_contacts_are_listed_without_their_addresses(lambi: Lambi, folder: Path) -> None:
    said = await lambi("contact", "list", "--config", folder, "--json")
    assert said.code == 0
    assert json.loads(said.out)["contacts"]
    assert "@" not in said.out
    assert "nobody can be reached" in (await lambi("contact", "list", "--config", folder)).out


async def test_the_shipped_runbooks_are_fine(lambi: Lambi) -> None:
    said = await lambi("runbooks", "check")
    assert (said.code, said.err) == (0, "")
    assert "note: messages in pap: " in said.out, "drafts are named until a native speaker has read them"
    assert json.loads((await lambi("runbooks", "list", "--json")).out)["runbooks"]


async def test_a_runbook_that_is_not_fine_is_named(lambi: Lambi, tmp_path: Path) -> None:
    (tmp_path / "cut.md").write_text("no front matter\n")
    said = await lambi("runbooks", "check", tmp_path)
    assert said.code == 1
    assert "cut.md:1" in said.out


def test_usage_errors_end_with_2() -> None:
    done = start("statsu")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_pipe_that_closes_early_is_no_accident() -> None:
    line = f"{sys.executable} -m monitor.cli config schema | head -c 1"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_bug_is_one_sentence_with_its_place(tmp_path: Path) -> None:
    code = "import monitor.cli as c; c.COMMANDS['status'] = 'gone'; c.main(['status'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("a defect in Lambi, please report it: ModuleNotFoundError at ")
    assert done.stderr.count("\n") == 1


@given(st.text())
def test_no_text_steers_a_terminal(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert all(char.isprintable() or char in "\n\t" or char.isspace() or not char.isascii() for char in shown)
    assert not set(shown) & {"\x1b", "\x07", "\r", "\x9b", "\u202e", "\x7f"}


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    assert [name for name in COMMANDS if f"`lambi {name}" not in page] == []
