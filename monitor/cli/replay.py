"""`lambi replay`: a story in simulated time, with what was expected of it and what came."""

from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli import options
from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, out, out_json, table
from monitor.config import ConfigError, load
from monitor.replay import story as stories
from monitor.replay.play import Line, Played, play
from monitor.replay.story import Story

app = typer.Typer()

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="One line a story; what was missed all the same.")]


@app.command(epilog=EXITS)
def replay(
    story: Annotated[Path, typer.Argument(help="A story, or a folder of them: all are played.")],
    *,
    quiet: Quiet = False,
    json: options.Json = False,
) -> None:
    """Play a story in simulated time: its events, what Lambi concludes, what was expected. Exit 1 when that was missed.

    Nothing is asked of anybody, and nobody is told.

    Examples:  lambi replay tests/scenarios/last-cable.yaml   |   lambi replay tests/scenarios --quiet
    """
    told = {path: read(path) for path in stories.find(story)}
    if not told:
        raise CommandError(f"{story} holds no story (*.yaml)", EXIT_USAGE)
    shipped = load(None).world
    played = {path: play(one, shipped) for path, one in told.items()}
    if json:
        out_json({"stories": [_fact(path, one) for path, one in played.items()]})
    else:
        for path, one in played.items():
            _show(path, one, quiet=quiet or len(played) > 1)
    if any(one.missed for one in played.values()):
        raise typer.Exit(EXIT_WRONG)


def read(path: Path) -> Story:
    """Return the story of a file; raises CommandError with every problem of it."""
    try:
        return stories.load(path)
    except ConfigError as error:
        raise CommandError("\n".join(map(str, error.problems)), EXIT_USAGE) from error


def _show(path: Path, played: Played, *, quiet: bool) -> None:
    verdict = "missed" if played.missed else "met"
    if quiet:
        out(f"{verdict}\t{path}: {played.story.story}")
        for line in played.missed:
            out(f"\t{clock(line.at)}\t{line.text}")
        return
    out(played.story.story)
    table(("time", "what", ""), [(clock(line.at), line.kind, line.text) for line in played.lines])
    out(f"{played.looks} looks, {played.opened} incidents, {played.told} messages; {verdict}")


def clock(seconds: float) -> str:
    """Return ``t+1:02:03`` or ``t+2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"t+{hours}:{minutes:02d}:{rest:02d}" if hours else f"t+{minutes}:{rest:02d}"


def _fact(path: Path, played: Played) -> dict[str, Any]:
    return {
        "file": str(path),
        "story": played.story.story,
        "met": not played.missed,
        "looks": played.looks,
        "incidents": played.opened,
        "told": played.told,
        "timeline": [_line(line) for line in played.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"seconds": line.at, "what": line.kind, "text": line.text}
