"""How well faults are found and causes named, over random histories with known truth; and what a look costs.

Beside Lambi's detection stands a well-tuned Prometheus rule with Alertmanager's grouping and inhibition, modelled in
bench/alertrules.py, on the same histories. What is counted, and how claims are matched with causes, is said in
bench/scoring.py; how histories are made in bench/histories.py. Seeds for tuning (--tuning) and for scoring differ.
500 histories take about 8 minutes on two cores (--quick: 66). No privileges are needed and nothing leaves this machine.
"""

import argparse
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

if not __package__:  # started as a file: python bench/detection.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.alertrules import Alerts
from bench.common import Goal, Progress, Report, finish, parser
from bench.cost import cost
from bench.explain import explain
from bench.histories import NOISES, numbered
from bench.scoring import Score
from bench.truth import with_true_topology
from bench.watching import judge
from monitor.config import load
from monitor.replay import story as stories
from monitor.replay.play import play

LAMBI, RULES = "lambi", "alert rules"
CONTENDERS = (LAMBI, RULES)
EXPERIMENTS = ("histories", "stories", "cost")
STORIES = Path(__file__).parents[1] / "tests" / "scenarios"
TOPOLOGIES = {"configured": "", "true": "true_"}
"""What the operators believe depends on what, and what truly does: the prefixes of the figures."""
GOALS = (
    Goal("recall", 0.98, least=True),
    Goal("precision", 0.98, least=True),
    Goal("cause_right", 0.90, least=True),
    Goal("true_recall", 0.99, least=True),
    Goal("true_precision", 0.99, least=True),
    Goal("true_cause_right", 0.95, least=True),
    Goal("told_per_cause", 1.1),
    Goal("true_told_per_cause", 1.1),
    Goal("alarms_while_blind", 0, exact=True),
    Goal("true_alarms_while_blind", 0, exact=True),
    Goal("stories_missed", 0, exact=True),
    Goal("us_per_look_10000", 20),
    Goal("memory_growth", 1.1),
)
SHOWN = 3
"""Seeds shown for each class, of those in which something was not as it should be."""
Scores = dict[tuple[str, str, int], Score]
"""(contender, topology, number of the history) -> its score."""


def main() -> int:
    """Run what is asked for."""
    options = _options()
    purpose = "tuning" if options.tuning else "scoring"
    if options.explain is not None:
        history = numbered(purpose, options.explain)
        print(*explain(with_true_topology(history) if options.topology == ["true"] else history), sep="\n")
        return 0
    report = Report("detection", {LAMBI: "this checkout", RULES: "modelled: bench/alertrules.py"})
    with Progress() as say:
        if "histories" in options.only:
            scores = _run(purpose, options, say)
            _tell(report, scores, options)
            if options.tuning:
                print(*_misses(scores, options), sep="\n")
        if "stories" in options.only:
            say.say("stories")
            _stories(report)
        if "cost" in options.only:
            cost(report, say)
    return finish(report, GOALS, options)


def _options() -> argparse.Namespace:
    options = parser(__doc__ or "", EXPERIMENTS, CONTENDERS)
    options.add_argument(
        "--tuning", action="store_true", help="the seeds for tuning; Lambi alone; list what went wrong"
    )
    options.add_argument("--histories", type=int, metavar="N", help="so many histories (500; --quick: 66)")
    options.add_argument("--noise", choices=NOISES, help="only histories of this class")
    options.add_argument("--topology", choices=[*TOPOLOGIES, "both"], default="both")
    options.add_argument("--explain", type=int, metavar="SEED", help="tell the whole story of one history")
    chosen = options.parse_args()
    chosen.only = chosen.only or (["histories"] if chosen.tuning else list(EXPERIMENTS))
    chosen.contenders = chosen.contenders or ([LAMBI] if chosen.tuning else list(CONTENDERS))
    chosen.histories = chosen.histories or (66 if chosen.quick else 500)
    chosen.topology = list(TOPOLOGIES) if chosen.topology == "both" else [chosen.topology]
    return chosen


def _run(purpose: str, options: argparse.Namespace, say: Progress) -> Scores:
    numbers = [n for n in range(options.histories) if options.noise in {None, NOISES[n % len(NOISES)]}]
    contenders = tuple(options.contenders)
    jobs = [(purpose, number, topology, contenders) for number in numbers for topology in options.topology]
    scores: Scores = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, (job, found) in enumerate(zip(jobs, pool.map(_one, jobs, chunksize=2), strict=True)):
            if done % 20 == 0:
                say.say(f"histories: {done} of {len(jobs)}")
            scores |= {(contender, job[2], job[1]): score for contender, score in found.items()}
    return scores


def _one(job: tuple[str, int, str, Sequence[str]]) -> dict[str, Score]:
    """Score one history; runs in a process of its own."""
    purpose, number, topology, contenders = job
    history = numbered(purpose, number)
    if topology == "true":
        history = with_true_topology(history)
    return {name: judge(history) if name == LAMBI else Alerts(history).run() for name in contenders}


def _stories(report: Report) -> None:
    """Play the stories; what they expect and does not come, or comes and should not, is missed."""
    shipped = load(None, {}).world
    played = [play(stories.load(path), shipped) for path in stories.find(STORIES)]
    report.add("stories", "played", {LAMBI: len(played)})
    report.add("stories_missed", "expectations", {LAMBI: sum(len(each.missed) for each in played)})


def _tell(report: Report, scores: Scores, options: argparse.Namespace) -> None:
    """Add the figures: totals for each topology, then the classes of noise, worst first."""
    for topology in options.topology:
        totals = {name: _total(scores, name, topology) for name in options.contenders}
        _figures(report, TOPOLOGIES[topology], totals)
    topology = options.topology[0]
    classes = {noise: {name: _total(scores, name, topology, noise) for name in options.contenders} for noise in NOISES}
    subject = options.contenders[0]
    found = {noise: totals for noise, totals in classes.items() if totals[subject].seconds}
    for noise in sorted(found, key=lambda noise: _goodness(found[noise][subject])):
        for figure in ("recall", "precision", "cause_right", "told_per_cause", "false_per_month"):
            values = {name: getattr(total, figure) for name, total in found[noise].items()}
            report.add(f"{noise}: {figure}", _unit(figure), values)
    report.notes.append(f"{len({number for _, _, number in scores})} histories; by class with the {topology} topology")


def _goodness(total: Score) -> float:
    return total.recall + total.precision + total.cause_right


def _total(scores: Scores, contender: str, topology: str, noise: str = "") -> Score:
    total = Score()
    for (name, configured, number), score in scores.items():
        if (name, configured) == (contender, topology) and noise in {"", NOISES[number % len(NOISES)]}:
            total.add(score)
    return total


def _figures(report: Report, prefix: str, totals: Mapping[str, Score]) -> None:
    for figure in ("recall", "precision", "precision_alone", "cause_right", "told_per_cause", "false_per_month"):
        report.add(prefix + figure, _unit(figure), {name: getattr(total, figure) for name, total in totals.items()})
    for figure, name in (
        ("required", "causes_to_find"),
        ("again", "claims_once_more"),
        ("in_company", "causes_in_company"),
        ("ends", "ends_told"),
        ("unclosed", "never_closed"),
        ("blind", "alarms_while_blind"),
    ):
        report.add(prefix + name, "", {who: getattr(total, figure) for who, total in totals.items()})
    for name, share in (("detect_p50_s", 50), ("detect_p95_s", 95)):
        report.add(prefix + name, "s", {who: _percentile(total.delays, share) for who, total in totals.items()})
    beyond = {who: _percentile(total.beyond, 95) for who, total in totals.items()}
    report.add(f"{prefix}beyond_rule_p95_s", "s", beyond)


def _unit(figure: str) -> str:
    return {"told_per_cause": "beginnings", "false_per_month": "in 30 days"}.get(figure, "share")


def _percentile(values: Sequence[float], share: int) -> float | None:
    return statistics.quantiles(values, n=100)[share - 1] if len(values) > 1 else None


def _misses(scores: Scores, options: argparse.Namespace) -> Iterator[str]:
    """Yield for each class the first few histories in which Lambi was not right, with the reasons."""
    for topology in options.topology:
        shown: dict[str, list[tuple[int, Score]]] = defaultdict(list)
        for (name, configured, number), score in sorted(scores.items(), key=lambda item: item[0][2]):
            if name == LAMBI and configured == topology and score.remarks:
                shown[NOISES[number % len(NOISES)]].append((number, score))
        for noise, found in shown.items():
            yield f"\n{noise}, {topology} topology: {len(found)} histories not wholly right"
            for number, score in found[:SHOWN]:
                yield from (f"  --explain {number}: {remark}" for remark in score.remarks[:4])


if __name__ == "__main__":
    sys.exit(main())
