"""From the --config option to settings, and to the daemon that runs by them."""

from pathlib import Path

from monitor.cli.client import Client
from monitor.cli.options import ETC
from monitor.cli.say import EXIT_USAGE, CommandError
from monitor.config import ConfigError, Problem, Settings, examine, load

SECRETS = (".env", ".file")
"""How the path of a problem ends that says a secret is not to be had."""


def overlay(folder: Path | None) -> Path | None:
    """Return the operator's folder; None when none is named and /etc/lambi is not there."""
    if folder is None:
        return ETC if ETC.is_dir() else None
    if not folder.is_dir():
        raise CommandError(f"{folder}: there is no such config folder", EXIT_USAGE)
    return folder


def settings(folder: Path | None) -> Settings:
    """Load the config; CommandError with every problem."""
    try:
        return load(overlay(folder))
    except ConfigError as error:
        count = len(error.problems)
        end = f"{count} problem{'s' if count != 1 else ''} in the config: nothing was done"
        raise CommandError("\n".join([*map(str, error.problems), end]), EXIT_USAGE) from error


def outline(folder: Path | None) -> tuple[Settings, list[Problem]]:
    """Return what can be used of the config, and its problems; CommandError when that is nothing."""
    found, problems = examine(overlay(folder))
    if found is None:
        raise CommandError("\n".join([*map(str, problems), "the config cannot be read: nothing was done"]), EXIT_USAGE)
    return found, problems


def client(folder: Path | None, named: Path | None, *, timeout: float = 10.0) -> Client:
    """Reach the daemon at the ``named`` socket, else at the config's; no other's is guessed while that is invalid.

    A secret that only the service can read makes the config no less valid here.
    """
    if named is None:
        found, problems = examine(overlay(folder))
        if found is None or not all(problem.path.endswith(SECRETS) for problem in problems):
            try:
                found = settings(folder)
            except CommandError as error:
                raise CommandError(f"{error}; a daemon that runs is asked with --socket PATH", error.code) from error
        named = found.control
    return Client(named, timeout=timeout)
