"""The one place that knows whether the shipped files stand in a checkout or in an installed wheel."""

import os
from importlib import metadata
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_WHEEL = _HERE / "_data"


def shipped(name: str) -> Path:
    """Return where a shipped file or folder stands: ``config/lambi.yaml``, ``config/inventory``, ``runbooks``."""
    return (_WHEEL if _WHEEL.is_dir() else _HERE.parent) / name


def state_folder() -> Path:
    """Return where the daemon keeps its state unless config says otherwise: ``var`` of a checkout, else as the FHS.

    Once a service has its folder there, every command means that one, whoever gives it.
    """
    if checkout():
        return _HERE.parent / "var"
    service = Path("/var/lib/lambi")
    return service if os.geteuid() == 0 or service.is_dir() else Path.home() / ".local" / "state" / "lambi"


def checkout() -> bool:
    """Say whether this is no installed wheel."""
    return not _WHEEL.is_dir()


def version() -> str:
    """Return the installed version, or that of the checkout this runs from."""
    try:
        return metadata.version("lambi")
    except metadata.PackageNotFoundError:
        lines = (_HERE.parent / "pyproject.toml").read_text().splitlines()
        return next(line.split('"')[1] for line in lines if line.startswith("version = "))
