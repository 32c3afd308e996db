"""The rules of the suite itself: which tests run, and when a skip is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip('knotd is not installed')\n"
WHOLE = "import pytest\npytest.skip('all of it', allow_module_level=True)\n"
SAMPLES = f"import pytest\npytestmark = pytest.mark.samples\n{SKIPS}"
SOAK = "import pytest\n@pytest.mark.soak\ndef test_long(): pass\n"


def suite(folder: Path, test: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(PASSES + test)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  samples\n  soak\n")
    words = (sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", *options, folder)
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LAMBI_SOAK": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **environment,
    }
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("test", "code"),
    [("", 0), (SKIPS, 1), (WHOLE, 1), (SAMPLES, 0), (SOAK, 0)],
    ids=["fine", "skip", "module", "samples", "soak"],
)
def test_a_skip_fails_where_everything_is_installed(tmp_path: Path, test: str, code: int) -> None:
    done = suite(tmp_path, test, "--fail-on-skip")
    assert bool(done.returncode) == bool(code), done.stdout
    assert ("--fail-on-skip: " in done.stdout) == bool(code)


def test_a_skip_is_fine_on_a_bare_machine(tmp_path: Path) -> None:
    assert suite(tmp_path, SKIPS).returncode == 0


def test_soak_tests_are_left_out_without_a_skip(tmp_path: Path) -> None:
    assert "1 passed, 1 deselected" in suite(tmp_path, SOAK).stdout
    assert "2 passed" in suite(tmp_path, SOAK, LAMBI_SOAK="1").stdout
