"""`lambi install --systemd`: Lambi as a service of this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, out
from monitor.data import checkout, shipped

app = typer.Typer()
SHIPPED_PROGRAM = "/opt/lambi/bin/lambi"
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""What ProtectHome= hides from the service."""
UNIT, USERS = Path("etc/systemd/system/lambi.service"), Path("etc/sysusers.d/lambi.conf")


@app.command(epilog=EXITS)
def install(
    *,
    systemd: Annotated[bool, typer.Option("--systemd", help="As a service of systemd; there is no other kind yet.")],
    print_: Annotated[bool, typer.Option("--print", help="Print the unit, write nothing.")] = False,
    root: Annotated[Path, typer.Option("--root", help="Write below this folder: of an image, say.")] = Path("/"),
) -> None:
    """Write the unit and the name of its user, and say how to start it. Nothing is started.

    It runs as a user of its own with the right to send echoes and no other, in a system that it cannot write but for
    /var/lib/lambi; it is started again whenever it ends or stands still.

    Examples:  lambi install --systemd   |   lambi install --systemd --print
    """
    if not systemd:
        raise CommandError("say as what: --systemd", EXIT_USAGE)
    program = Path(sys.executable).absolute().parent / "lambi"
    unit = (shipped("config") / "systemd" / "lambi.service").read_text("utf-8").replace(SHIPPED_PROGRAM, str(program))
    if print_:
        out(unit.rstrip("\n"))
        return
    _refuse(program)
    try:
        _write(root / UNIT, unit)
        _write(root / USERS, (shipped("config") / "systemd" / "lambi.sysusers").read_text("utf-8"))
        (root / "etc/lambi/secrets").mkdir(parents=True, exist_ok=True)
        (root / "etc/lambi/secrets").chmod(0o700)
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}; run it as root", EXIT_WRONG) from error
    out(f"written: {root / UNIT}, {root / USERS}; secrets go into {root / 'etc/lambi/secrets'}")
    out("next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now lambi && lambi doctor")


def _refuse(program: Path) -> None:
    """Refuse what could not start."""
    if any(program.is_relative_to(home) for home in HOMES):
        raise CommandError(
            f"{program} lies where the service cannot look: install the wheel into /opt/lambi", EXIT_WRONG
        )
    if checkout():
        sentence = "this is a checkout, which keeps its state beside its files: install the wheel into /opt/lambi"
        raise CommandError(f"{sentence} (docs/operating.md), or print the unit with --print", EXIT_WRONG)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
