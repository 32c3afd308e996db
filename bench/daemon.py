"""What watching 1,000 targets every 10 s costs, how soon a death is told, what a storm, a cut link, loss, kill -9 do.

Lambi stands beside Debian's Prometheus + blackbox exporter + Alertmanager, each in a network namespace with loopback
only, where 450 ICMP, 300 DNS, 150 TCP and 100 HTTP targets of its own answer. The same is done to all of them at the
same moments, so that a ratio compares one window. Needs root; takes about 25 minutes (--quick: about 15).
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

if not __package__:  # started as a file: python bench/daemon.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import Goal, Progress, Report, finish, parser
from bench.contender import Contender
from bench.experiments import EXPERIMENTS, QUICK, Bench, Plan
from bench.lambi import Lambi
from bench.stack import Stack, TunedStack
from bench.targets import World, missing, things

CONTENDERS: dict[str, type[Contender]] = {kind.name: kind for kind in (Lambi, Stack, TunedStack)}
LATE = Goal("lateness_p99_ms", 50)
SHARE = Goal("cpu_percent", 1 / 3, share=True)
GOALS = (
    Goal("cpu_percent", 7),
    SHARE,
    Goal("rss_mb", 100),
    LATE,
    Goal("delay_never_told", 0, exact=True),
    Goal("delay_p50_s", 12),
    Goal("delay_max_s", 22),
    Goal("storm_causes_told", 8, exact=True),
    Goal("storm_messages", 8, exact=True),
    Goal("link_messages", 2, exact=True),
    Goal("link_falsely_down", 0, exact=True),
    Goal("burst_3s_outages", 0, exact=True),
    Goal("burst_5s_outages", 0, exact=True),
    Goal("burst_8s_outages", 0, exact=True),
    Goal("crash_repeated_messages", 0, exact=True),
    Goal("crash_pending_lost", 0, exact=True),
)
GOALS_5000 = (Goal("cpu_percent", 10), SHARE, Goal("rss_mb", 150), LATE)


def main() -> int:
    """Run the experiments; 2 when no world can be made here."""
    options = _options()
    if why := missing():
        print(f"bench/daemon.py: {why}", file=sys.stderr)
        return 2
    report = Report("daemon")
    with ExitStack() as stack:
        say = stack.enter_context(Progress())
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lambi-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # Lambi gives up root and must still get in
        contenders = _contenders(options, folder, stack, report)
        bench = Bench(contenders, QUICK if options.quick else Plan(), say, report)
        for name in options.only:
            EXPERIMENTS[name](bench)
    return finish(report, GOALS_5000 if options.five_thousand else GOALS, options)


def _options() -> argparse.Namespace:
    options = parser(__doc__ or "", EXPERIMENTS, CONTENDERS)
    options.add_argument("--five-thousand", action="store_true", help="5,000 targets every 30 s; cost only")
    chosen = options.parse_args()
    chosen.only = ["cost"] if chosen.five_thousand else chosen.only or list(EXPERIMENTS)
    chosen.contenders = chosen.contenders or list(CONTENDERS)
    return chosen


def _contenders(options: argparse.Namespace, folder: Path, stack: ExitStack, report: Report) -> list[Contender]:
    """Make a world for each contender that can run here; say why another cannot."""
    factor, period = (5, 30.0) if options.five_thousand else (1, 10.0)
    found = []
    for name in options.contenders:
        kind = CONTENDERS[name]
        report.contenders[name] = kind.missing() or kind.version()
        if not kind.missing():
            world = stack.enter_context(World(name, things(factor), folder / name.replace(" ", "-")))
            found.append(kind(world, period))
    return found


if __name__ == "__main__":
    sys.exit(main())
