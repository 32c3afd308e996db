"""`lambi backup`: journal, config and the list of the series in one file."""

from pathlib import Path
from typing import Annotated

import typer

from alerting.journal import JournalError
from monitor.backup import JOURNAL, BackupError, back_up
from monitor.cli import files, options
from monitor.cli.say import EXIT_WRONG, EXITS, CommandError, many, out, out_json
from probes.clock import SystemClock

app = typer.Typer()


@app.command(epilog=EXITS)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; nothing is written over.")],
    *,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Write journal, config and the list of the series into one file, as of one moment, also while Lambi runs.

    Run it as root or as the user who runs Lambi. It holds what people were sent: keep it as you keep their numbers.
    Secrets and measurements are not in it; it says what to copy besides.

    Example:  lambi backup /var/backups/lambi-$(date +%F).tar.gz
    """
    settings, _ = files.outline(config)
    try:
        made = back_up(settings, files.overlay(config), file, SystemClock().now())
    except (BackupError, JournalError) as error:
        raise CommandError(str(error), EXIT_WRONG) from error
    except OSError as error:
        raise CommandError(f"{file}: cannot be written: {error.strerror or error}", EXIT_WRONG) from error
    if json:
        fact = {"file": str(file), "made": made.made, "lambi": made.lambi, "schema": made.schema}
        more = {"secrets": made.secrets, "left_out": made.left_out, "series_files": len(made.series)}
        out_json({**fact, "bytes": file.stat().st_size, **more, "series_bytes": sum(made.series.values())})
        return
    held = f"the journal ({made.files[JOURNAL]['bytes']} bytes) and {many(len(made.files) - 1, 'config file')}"
    out(f"{file}: {file.stat().st_size} bytes, {held}")
    for place in made.secrets:
        out(f"not in it, keep it elsewhere: {place}")
    for name in made.left_out:
        out(f"not in it, Lambi does not read it: {name}")
    if made.series:
        size = f"{many(len(made.series), 'file')}, {sum(made.series.values())} bytes"
        out(f"not in it, copy it if you want the measurements: {made.state}/series ({size})")
