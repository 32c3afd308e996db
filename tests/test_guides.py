"""What docs/operating.md tells to write is a config that works, and the tour's files and functions are there."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.cli import COMMANDS
from monitor.config import check, load
from monitor.web.ops import collect
from tests.monitor.web import worlds

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs" / "operating.md").read_text("utf-8")
TOUR = (ROOT / "docs" / "ARCHITECTURE-tour.md").read_text("utf-8")


def test_the_config_of_the_guide_is_fine(tmp_path: Path) -> None:
    vantage, targets, channels, web = re.findall(r"```yaml\n(.*?)```", OPERATING, re.DOTALL)
    secret = tmp_path / "secret"
    secret.write_text("fictitious\n")
    main = vantage + re.sub(r"/etc/lambi/secrets/\w+", str(secret), channels) + web
    (tmp_path / "lambi.yaml").write_text(main)
    (tmp_path / "targets.yaml").write_text(targets)
    assert [str(problem) for problem in check(tmp_path, {})] == []
    settings = load(tmp_path, {})
    assert set(settings.channels) == {"mail", "sms", "modem"}
    assert settings.base_url == "https://lambi.example.net"


def test_every_command_that_is_named_is_there() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", OPERATING, re.DOTALL)
    blocks += re.findall(r"`((?:sudo )?lambi [^`]+)`", OPERATING)
    named = {word for block in blocks for word in re.findall(r"(?:^|&& |sudo )lambi ([a-z]+)", block, re.MULTILINE)}
    assert {"install", "doctor", "backup", "restore", "log", "config"} <= named
    assert named <= COMMANDS.keys()


def test_every_metric_that_is_named_is_there() -> None:
    storm = worlds.storm()
    exporting = replace(storm, health=replace(storm.health, export_lag_seconds=1.0))
    known = {family.name for family in collect(exporting, worlds.NOW)}
    named = set(re.findall(r"`(lambi_\w+)`", OPERATING))
    assert named
    assert named <= known


@pytest.mark.parametrize("text", [OPERATING, TOUR], ids=["operating", "tour"])
def test_every_link_leads_somewhere(text: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_file_and_function_of_the_tour_is_there() -> None:
    words = re.findall(r"`([^`\n]+)`", TOUR)
    files = [word for word in words if re.fullmatch(r"[\w/]+\.(py|md)", word)]
    assert len(files) > 30
    assert [name for name in files if not (ROOT / name).exists()] == []
    packages = ("probes", "alerting", "monitor")
    code = "\n".join(path.read_text("utf-8") for top in packages for path in (ROOT / top).rglob("*.py"))
    known = set(re.findall(r"(?:def|class) (\w+)|^    (\w+)(?:: | = )", code, re.MULTILINE))
    names = {one for pair in known for one in pair}
    named = [word.rpartition(".")[2] for word in words if re.fullmatch(r"[A-Z]?\w+(\.\w+)?", word)]
    assert [name for name in named if name not in names] == []
