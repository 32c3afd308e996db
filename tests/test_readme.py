"""What the README tells a newcomer to write is a config that works."""

import re
from pathlib import Path

import pytest

from monitor.config import check, load

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_readmes_config_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assets, channels, contacts, routes, snmp = blocks
    secret = tmp_path / "sms-password"
    secret.write_text("fictitious\n")
    monkeypatch.setenv("LAMBI_SMTP_PASSWORD", "fictitious")
    main = (assets + channels).replace("/etc/lambi/sms-password", str(secret))
    for name, text in (("lambi.yaml", main), ("contacts.yaml", contacts), ("routes.yaml", routes)):
        (tmp_path / name).write_text(text)
    assert [str(problem) for problem in check(tmp_path)] == []
    settings = load(tmp_path)
    assert set(settings.channels) == {"mail", "sms"}
    assert any(one.asset == "router:bridgetown-1" for one in settings.world.checks.values())
    monkeypatch.setenv("LAMBI_SNMP", "fictitious")
    (tmp_path / "snmp").mkdir()
    (tmp_path / "snmp" / "lambi.yaml").write_text(snmp)
    (one,) = (one for one in load(tmp_path / "snmp").world.checks.values() if one.kind == "snmp")
    assert one.asset == "router:bridgetown-1"


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
