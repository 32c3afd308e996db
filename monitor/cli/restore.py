"""`lambi restore`: go on elsewhere, or after a loss, from a backup."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from alerting.journal import JournalError
from monitor.backup import BackupError
from monitor.cli import files, options
from monitor.cli.say import EXIT_WRONG, EXITS, CommandError, many, out, out_json
from monitor.instance import TakenError
from monitor.restore import Archive, restore_config, restore_journal
from probes.clock import SystemClock

app = typer.Typer()


@app.command(epilog=EXITS)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `lambi backup` has written.")],
    *,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Put config and journal of a backup into place; the next `lambi run` goes on with its incidents and ladders.

    Nothing is written over, and no daemon may run there. What waited to be sent when the backup was made, and is due,
    leaves marked "(repeat)": whether it had left is not known. Stop the old Lambi first: two must not go on from one
    journal.

    Example:  lambi restore /var/backups/lambi-2026-11-24.tar.gz --config /etc/lambi
    """
    folder = config or options.ETC
    try:
        archive = Archive(file)
        try:
            written = restore_config(archive.config(), folder)
            settings, problems = files.outline(folder)
            found = asyncio.run(restore_journal(archive, settings.state, SystemClock().now()))
        finally:
            archive.close()
    except (BackupError, JournalError, TakenError) as error:
        raise CommandError(str(error), EXIT_WRONG) from error
    except OSError as error:
        raise CommandError(f"{error.filename or file}: {error.strerror or error}", EXIT_WRONG) from error
    manifest = archive.manifest
    if json:
        where = {"config": str(folder), "state": str(settings.state), "made": manifest.made}
        out_json({**where, "config_files": written, **asdict(found), "problems": [str(one) for one in problems]})
        return
    out(f"{many(written, 'config file')} written to {folder}, the journal of {manifest.made} to {settings.state}")
    under_way = f"{many(found.incidents, 'open incident')}, {many(found.ladders, 'ladder')} under way"
    out(f"{under_way}, {many(found.waiting, 'message')} waiting")
    if found.doubtful:
        out(f'{found.doubtful} of them may have left since; they will leave marked "(repeat)"')
    if found.series_missing:
        missing = many(found.series_missing, "file")
        out(f"{missing} of measurements not here: copy {manifest.state}/series if you want them")
    for place in manifest.secrets:
        out(f"secrets are in no backup; put into place: {place}")
    for problem in problems:
        out(f"to put right before it starts: {problem}")
    out(f"next: lambi doctor --config {folder}, then lambi run --config {folder}")
