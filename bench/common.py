"""The convention of bench/NAME.py: a table beside the peers', `--json` the same, `--check` judges the goals."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

SUBJECT = "lambi"
TICK = os.sysconf("SC_CLK_TCK")
Number = float | int


@dataclass(frozen=True, slots=True)
class Goal:
    """What the issue asks of one figure of Lambi: at most so much, or exactly; or as a share of the peers'."""

    figure: str
    limit: Number
    exact: bool = False
    share: bool = False
    """Compare Lambi's figure divided by the smallest of the peers' in the same window."""
    least: bool = False
    """At least so much."""

    def __str__(self) -> str:
        sign = "=" if self.exact else ">=" if self.least else "<="
        return f"{sign} {self.limit:.3g}{' of the best peer' if self.share else ''}"

    def met(self, value: Number) -> bool:
        if self.exact:
            return value == self.limit
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a goal ended; `met` None says that it could not be judged, and `why`."""

    goal: Goal
    value: Number | None
    met: bool | None
    why: str = ""


@dataclass(slots=True)
class Figure:
    """One row: a number for each contender; one that gave none has None."""

    name: str
    unit: str
    values: dict[str, Number | None]


@dataclass(slots=True)
class Report:
    """All that a run found. `contenders` maps each name to its versions, or to why it is not there."""

    bench: str
    contenders: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, unit: str, values: Mapping[str, Number | None]) -> None:
        self.figures.append(Figure(name, unit, dict(values)))

    def ratios(self, figure: Figure) -> dict[str, float]:
        """Each peer's number divided by Lambi's, where both are there and Lambi's is not 0."""
        own = figure.values.get(SUBJECT)
        peers = {peer: value for peer, value in figure.values.items() if peer != SUBJECT and value is not None}
        return {peer: value / own for peer, value in peers.items()} if own else {}


def judge(report: Report, goals: Iterable[Goal]) -> list[Verdict]:
    """Judge the goals whose figure was looked for; a figure that Lambi did not give misses its goal."""
    figures = {figure.name: figure for figure in report.figures}
    return [_judge_one(figures[goal.figure], goal) for goal in goals if goal.figure in figures]


def _judge_one(figure: Figure, goal: Goal) -> Verdict:
    if SUBJECT not in figure.values:
        return Verdict(goal, None, None, "lambi was not asked to run")
    value = figure.values[SUBJECT]
    if value is None:
        return Verdict(goal, None, met=False, why="lambi gave no figure")
    if goal.share:
        peers = [other for name, other in figure.values.items() if name != SUBJECT and other]
        if not peers:
            return Verdict(goal, None, None, "no peer ran in the same window")
        value = value / min(peers)
    return Verdict(goal, value, goal.met(value))


def as_object(report: Report, verdicts: Sequence[Verdict]) -> dict[str, object]:
    """The report as one JSON object."""
    return {
        "bench": report.bench,
        "machine": machine(),
        "contenders": report.contenders,
        "figures": {
            figure.name: {"unit": figure.unit, "values": figure.values, "ratio_to_lambi": report.ratios(figure)}
            for figure in report.figures
        },
        "goals": [
            {"figure": v.goal.figure, "goal": str(v.goal), "value": v.value, "met": v.met, "why": v.why}
            for v in verdicts
        ],
        "notes": report.notes,
    }


def print_table(report: Report, verdicts: Sequence[Verdict], console: Console) -> None:
    names = list(report.contenders)
    peers = [name for name in names if name != SUBJECT]
    table = Table(title=f"bench/{report.bench}.py on {machine()}", title_justify="left")
    table.add_column("figure")
    table.add_column("unit", style="dim")
    for name in [*names, *(f"{peer} : lambi" for peer in peers)]:
        table.add_column(name, justify="right")
    table.add_column("goal")
    for figure in report.figures:
        ratios = report.ratios(figure)
        cells = [_number(figure.values.get(name)) for name in names]
        cells += [f"{ratios[peer]:.1f}x" if peer in ratios else "" for peer in peers]
        goals = "; ".join(_goal_cell(verdict) for verdict in verdicts if verdict.goal.figure == figure.name)
        table.add_row(figure.name, figure.unit, *cells, goals)
    console.print(table)
    for name, what in report.contenders.items():
        console.print(f"{name}: {what}", highlight=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False)


def _number(value: Number | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _goal_cell(verdict: Verdict) -> str:
    word = {True: "[green]met[/]", False: "[red]MISSED[/]", None: f"not judged: {verdict.why}"}[verdict.met]
    share = f" ({verdict.value:.2f})" if verdict.goal.share and verdict.value is not None else ""
    return f"{verdict.goal}{share} {word}"


def finish(report: Report, goals: Iterable[Goal], options: argparse.Namespace) -> int:
    """Print what was found; return the exit code: 1 when `--check` was asked and a goal was missed."""
    verdicts = judge(report, goals)
    if options.json:
        print(json.dumps(as_object(report, verdicts), indent=1))
    else:
        print_table(report, verdicts, Console(width=None if sys.stdout.isatty() else 180))
    missed = [verdict for verdict in verdicts if verdict.met is False]
    if not options.check:
        return 0
    for verdict in missed:
        found = verdict.why if verdict.value is None else f"is {_number(verdict.value)}"
        print(f"goal missed: {verdict.goal.figure} {found}, should be {verdict.goal}", file=sys.stderr)
    if any(verdict.met is not None for verdict in verdicts):
        return 1 if missed else 0
    print("nothing to check: no goal could be judged", file=sys.stderr)
    return 1


def parser(doc: str, experiments: Iterable[str], contenders: Iterable[str]) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    result = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    result.add_argument("--check", action="store_true", help="exit 1 and name the figure where a goal is missed")
    result.add_argument("--quick", action="store_true", help="shorter windows and fewer events, to try a change")
    result.add_argument("--only", type=_chosen(experiments), metavar="NAME,...", help=f"of {', '.join(experiments)}")
    result.add_argument(
        "--contenders", type=_chosen(contenders), metavar="NAME,...", help=f"of {', '.join(contenders)}"
    )
    result.add_argument("--keep", type=_folder, metavar="DIR", help="keep configs, logs and what was sent in DIR")
    return result


def asked(doc: str, experiments: Iterable[str], contenders: Iterable[str]) -> argparse.Namespace:
    """Read the options; where none is named, all experiments and all contenders are meant."""
    chosen = parser(doc, experiments, contenders).parse_args()
    chosen.only = chosen.only or list(experiments)
    chosen.contenders = chosen.contenders or list(contenders)
    return chosen


def _folder(text: str) -> Path:
    path = Path(text).resolve()
    if path.exists() and any(path.iterdir()):
        raise argparse.ArgumentTypeError(f"{path} is not empty")
    return path


def _chosen(known: Iterable[str]) -> Callable[[str], list[str]]:
    names = list(known)

    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",")]
        for name in chosen:
            if name not in names:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(names)}")
        return chosen

    return parse


class Progress:
    """One line on stderr that says what is going on; plain lines where stderr is no terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.status = self.console.status("")
        self.begun = time.monotonic()

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.status.stop()

    def say(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        line = f"{minutes:2d}:{seconds:02d} {text}"
        if self.console.is_terminal:
            self.status.update(line)
        else:
            self.console.print(line, highlight=False)

    def wait(self, seconds: float, text: str, until: Callable[[], bool] | None = None) -> bool:
        """Wait so long, or until the condition holds; return whether it held."""
        end = time.monotonic() + seconds
        self.say(f"{text} ({seconds:.0f} s)")
        while (left := end - time.monotonic()) > 0:
            if until is not None and until():
                return True
            time.sleep(min(left, 0.5))
            if self.console.is_terminal:
                self.say(f"{text} ({left:.0f} s)")
        return until is not None and until()


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system seconds of the processes with all their threads, and of the children they have reaped."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(ticks) for ticks in fields[11:15])
    return total / TICK


def rss_mb(pids: Iterable[int]) -> float:
    """Resident megabytes (10^6) of the processes together."""
    kilobytes = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return kilobytes * 1024 / 1e6


def with_children(pids: Iterable[int]) -> list[int]:
    """The processes and all that descend from them."""
    found = list(pids)
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found.extend(int(child) for child in task.read_text().split())
    return found


def machine() -> str:
    """Cores, processor and kernel in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python {platform.python_version()}"
