"""What is shipped: locks, the wheel, `make setup`, and that no file speaks of one workplace."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "tests/requirements.lock")
ELSEWHERE = re.compile("|".join(["--(extra-)?index" + "-url", "--find" + "-links", "file:" + "//", "/" + "work/"]))


def run(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def pins(lock: str) -> dict[str, str]:
    """Return name -> version of a lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_no_tracked_file_names_an_index_or_a_workplace() -> None:
    listed = run("git", "ls-files", "-z", cwd=ROOT)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        text = (ROOT / name).read_bytes().decode("utf-8", "ignore") if (ROOT / name).is_file() else ""
        found = ELSEWHERE.search(text)
        assert not found, f"{name}: {found and found[0]}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_hash_and_nothing_but_the_public_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock)) > 0
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.split()[0]
    assert not re.search(r"^-|@ ", text, re.MULTILINE)


def test_the_locks_agree_and_hold_what_the_project_needs() -> None:
    runtime, dev = map(pins, LOCKS)
    assert {name: dev[name] for name in runtime if name in dev} == {n: runtime[n] for n in runtime if n in dev}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {re.split(r"[<>=\[]", need)[0] for need in project["project"]["dependencies"]}
    assert named <= runtime.keys()
    named = {re.split(r"[<>=\[]", need)[0] for need in project["dependency-groups"]["dev"]}
    assert named <= dev.keys()


def test_the_wheel_runs_alone_in_another_folder(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    into = ("-m", "pip", "--python", venv / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    installed = run(sys.executable, *into, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    # its libraries are lent by this venv: nothing is downloaded, and the checkout itself stays out of sight
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    lambi = venv / "bin" / "lambi"
    where = run(venv / "bin" / "python", "-P", "-c", "import monitor; print(monitor.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(site))
    environment = {"LAMBI_CONFIG": str(tmp_path / "own"), "PYTHONPATH": ""}
    (tmp_path / "own").mkdir()
    for words in (["--version"], ["config", "check"], ["runbooks", "check"]):
        done = run(lambi, *words, cwd=tmp_path, **environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_source_archive_holds_the_project_and_makes_the_same_wheel(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path)
    built = run(*build, "--sdist", "--wheel", ROOT, cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    (archive,), (wheel,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    source = tmp_path / archive.name.removesuffix(".tar.gz")
    for name in (
        "LICENSE",
        "Makefile",
        "requirements.lock",
        "config/systemd/lambi.service",
        "docs/operating.md",
        "tests",
    ):
        assert (source / name).exists(), name
    assert not list(source.glob(".venv")) + list(source.glob("var"))
    again = run(*build[:-1], tmp_path / "again", "--wheel", source, cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    (other,) = (tmp_path / "again").glob("*.whl")
    assert contents(other) == contents(wheel)
    assert "monitor/_data/config/systemd/lambi.service" in contents(wheel)


def contents(wheel: Path) -> dict[str, int]:
    """Return name -> CRC of what a wheel holds."""
    with zipfile.ZipFile(wheel) as packed:
        return {one.filename: one.CRC for one in packed.infolist()}


def made(tmp_path: Path) -> Path:
    """Return a folder that holds what `make setup` reads."""
    folder = tmp_path / "a checkout"
    (folder / "tests").mkdir(parents=True)
    for name in ("Makefile", *LOCKS):
        shutil.copy(ROOT / name, folder / name)
    return folder


def tools(tmp_path: Path, **more: str) -> str:
    """Return a PATH with what a bare Debian has, and these scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "sh", "cat", "cut", "grep", "sha256sum", "touch", "rm"):
        (folder / name).symlink_to(shutil.which(name) or "")
    for name, script in more.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return str(folder)


def test_setup_does_nothing_when_the_lock_is_the_same(tmp_path: Path) -> None:
    folder = made(tmp_path)
    stamp = re.findall(r"touch (\S+)", run("make", "-n", "setup", cwd=folder).stdout)[-1]
    (folder / ".venv").mkdir()
    (folder / stamp).touch()
    make = shutil.which("make") or ""
    done = run(make, "setup", cwd=folder, PATH=tools(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (folder / "requirements.lock").open("a") as lock:
        lock.write("# another\n")
    assert run(make, "setup", cwd=folder, PATH=str(tmp_path / "bin")).returncode == 2


BARE = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n'


@pytest.mark.parametrize(("python", "sentence"), [({}, "needs Python 3.11 or newer"), ({"python3": BARE}, "no venv")])
def test_setup_says_in_one_sentence_what_the_system_lacks(
    tmp_path: Path, python: dict[str, str], sentence: str
) -> None:
    done = run(shutil.which("make") or "", "setup", cwd=made(tmp_path), PATH=tools(tmp_path, **python))
    ours = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode == 2
    assert len(ours) == 1
    assert sentence in ours[0]
    assert "sudo apt install" in ours[0]
    assert "python3-venv" in ours[0]
