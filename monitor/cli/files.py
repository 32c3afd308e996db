"""From the --config option to settings, and to the daemon that runs by them."""

from pathlib import Path

from monitor.cli.client import Client
from monitor.cli.options import ETC
from monitor.cli.say import EXIT_USAGE, CommandError
from monitor.config import ConfigError, Settings, load


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


def client(folder: Path | None, named: Path | None, *, timeout: float = 10.0) -> Client:
    """Reach the daemon at the ``named`` socket, else at the config's; no other's is guessed while that is invalid."""
    if named is None:
        try:
            named = settings(folder).control
        except CommandError as error:
            if not isinstance(error.__cause__, ConfigError):
                raise
            raise CommandError(f"{error}; a daemon that runs is asked with --socket PATH", error.code) from error
    return Client(named, timeout=timeout)
