"""Every library comes as a wheel, by its hash, for each Python and machine that docs/operating.md names."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
COMPILED = {
    "aiohttp",
    "charset-normalizer",
    "frozenlist",
    "gufo-snmp",
    "markupsafe",
    "multidict",
    "propcache",
    "pydantic-core",
    "pyyaml",
    "typst",
    "yarl",
}
GLIBC = 36
"""That of Debian 12 is 2.36."""


def test_no_library_that_is_compiled_came_in_unseen() -> None:
    """Who adds one looks with `make soak ARGS=tests/test_wheels.py` whether it comes for all; this needs no network."""
    locked = set(re.findall(r"^([a-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE))
    found = set()
    for each in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        tags = re.findall(r"^Tag: (\S+)", each.read_text("WHEEL") or "", re.MULTILINE)
        if name in locked and not any(tag.endswith("-none-any") for tag in tags):
            found.add(name)
    assert found == COMPILED


@pytest.mark.soak  # it asks the package index
@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_comes_as_a_wheel(python: str, machine: str, tmp_path: Path) -> None:
    tags = [f"manylinux_2_{n}_{machine}" for n in range(5, GLIBC + 1)] + [f"manylinux2014_{machine}"]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    only = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--implementation", "cp")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--target",
        str(tmp_path / "none"),
    )
    words = (*pip, *only, "--python-version", python, *platforms, "-r", str(LOCK))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
