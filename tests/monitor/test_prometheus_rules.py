"""The rules by which a Prometheus watches Lambi: sound, of metrics that exist, and they speak when they should."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.data import shipped
from monitor.web.ops import collect
from tests.monitor.web import worlds

RULES = shipped("config") / "prometheus" / "lambi.rules.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed: make test-deps")


def promtool(*words: str | Path) -> str:
    done = subprocess.run([str(PROMTOOL), *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_reads_them() -> None:
    assert "SUCCESS: 11 rules found" in promtool("check", "rules", RULES)


@needs_promtool
def test_each_speaks_when_it_should_and_is_silent_while_all_is_well(tmp_path: Path) -> None:
    story = (Path(__file__).parent / "lambi.rules.test.yml").read_text().replace("RULES", str(RULES))
    (tmp_path / "test.yml").write_text(story)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


def test_each_is_about_a_metric_that_exists_and_says_what_mends_it() -> None:
    known = {"up", *(family.name for family in collect(worlds.storm(), worlds.NOW))}
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            named = set(re.findall(r"\b(?:lambi_\w+|up)\b", rule["expr"]))
            assert named
            assert named <= known, rule["alert"]
            assert {"summary", "mend"} <= rule["annotations"].keys()
