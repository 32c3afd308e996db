"""Shells complete the commands, though a command's module is imported only when it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAIN = "from monitor.cli import main; main()"


def completed(words: str, shell: str) -> list[str]:
    """Return what a shell would offer after these words."""
    told = {"_LAMBI_COMPLETE": f"complete_{shell}"}
    told |= {"_TYPER_COMPLETE_ARGS": words} if shell != "bash" else {}
    told |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)} if shell == "bash" else {}
    told |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    done = subprocess.run(
        [sys.executable, "-c", MAIN], cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_their_own_and_options_are_offered(shell: str) -> None:
    offered = completed("lambi con", shell)
    assert any("config" in word for word in offered)
    assert any("contact" in word for word in offered)
    assert any("schema" in word for word in completed("lambi config s", shell))
    assert any("--json" in word for word in completed("lambi doctor --j", shell))
