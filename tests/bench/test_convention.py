"""The convention of bench/: help, judging, output, and the counts that the issue names. No peer is started."""

import argparse
import io
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from rich.console import Console

from bench.common import Goal, Report, as_object, cpu_seconds, finish, judge, parser, print_table, rss_mb
from bench.daemon import CONTENDERS, GOALS, GOALS_5000
from bench.stack import Stack
from bench.targets import ROOT, leaves, storm, things, victims

MOST = Goal("delay_s", 12)
EXACT = Goal("messages", 2, exact=True)
LEAST = Goal("recall", 0.98, least=True)
SHARE = Goal("cpu", 1 / 3, share=True)


def report(**figures: dict[str, float | None]) -> Report:
    made = Report("made_up", {"lambi": "0", "stack": "1", "tuned": "2"})
    for name, values in figures.items():
        made.add(name, "u", values)
    return made


def options(*, check: bool = True, as_json: bool = False) -> argparse.Namespace:
    return argparse.Namespace(check=check, json=as_json)


def test_every_benchmark_explains_itself() -> None:
    for path in (ROOT / "bench").glob("*.py"):
        if "sys.exit(main())" not in path.read_text():  # a module, or a process that a benchmark starts
            continue
        told = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, check=True, cwd="/")
        for option in ("--json", "--check", "--quick", "--only"):
            assert option in told.stdout, path


def test_an_unknown_experiment_is_named_with_what_exists() -> None:
    command = [sys.executable, str(ROOT / "bench/daemon.py"), "--only", "cots"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "'cots' is none of cost, delay" in told.stderr


@pytest.mark.parametrize(
    ("goal", "values", "met"),
    [
        (MOST, {"lambi": 12.0, "stack": 70.0}, True),
        (MOST, {"lambi": 12.01, "stack": 70.0}, False),
        (EXACT, {"lambi": 2, "stack": 25}, True),
        (EXACT, {"lambi": 1, "stack": 25}, False),
        (LEAST, {"lambi": 0.98, "alert rules": 0.9}, True),
        (LEAST, {"lambi": 0.97, "alert rules": 0.9}, False),
        (SHARE, {"lambi": 6.0, "stack": 21.0, "tuned": 18.0}, True),
        (SHARE, {"lambi": 6.5, "stack": 21.0, "tuned": 18.0}, False),
        (SHARE, {"lambi": 6.5, "stack": 21.0, "tuned": None}, True),
        (SHARE, {"lambi": 6.5}, None),
        (MOST, {"lambi": None, "stack": 70.0}, False),
        (MOST, {"stack": 70.0}, None),
    ],
)
def test_judging(goal: Goal, values: dict[str, float | None], met: bool | None) -> None:
    [verdict] = judge(report(**{goal.figure: values}), [goal])
    assert verdict.met is met
    assert verdict.met is True or verdict.why or verdict.value is not None


def test_a_goal_whose_experiment_did_not_run_is_not_judged() -> None:
    assert judge(report(cpu={"lambi": 1.0}), [MOST, EXACT]) == []


def test_check_names_the_figure_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(delay_s={"lambi": 13.0, "stack": 70.0}, messages={"lambi": 2})
    assert finish(found, [MOST, EXACT], options()) == 1
    assert capsys.readouterr().err == "goal missed: delay_s is 13.00, should be <= 12\n"
    assert finish(found, [EXACT], options()) == 0
    assert finish(found, [MOST], options(check=False)) == 0
    assert finish(report(cpu={"stack": 1.0}), [SHARE], options()) == 1
    assert "nothing to check" in capsys.readouterr().err


def test_json_holds_what_the_table_shows(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(delay_s={"lambi": 10.0, "stack": 70.0, "tuned": None})
    found.contenders["tuned"] = "not installed: prometheus"
    found.notes.append("a remark")
    assert finish(found, [MOST], options(as_json=True)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == as_object(found, judge(found, [MOST]))
    assert shown["figures"]["delay_s"]["ratio_to_lambi"] == {"stack": 7.0}
    assert shown["goals"] == [{"figure": "delay_s", "goal": "<= 12", "value": 10.0, "met": True, "why": ""}]
    console = Console(width=200, record=True, file=io.StringIO())
    print_table(found, judge(found, [MOST]), console)
    text = console.export_text()
    for word in ("delay_s", "10.00", "70.00", "7.0x", "met", "tuned: not installed: prometheus", "note: a remark"):
        assert word in text


def test_the_work_is_what_the_issue_names() -> None:
    world = things()
    assert Counter(thing.kind for thing in world) == {"icmp": 450, "dns": 300, "tcp": 150, "http": 100}
    assert set(Counter(thing.territory for thing in world).values()) == {40}
    assert len({thing.name for thing in world}) == len({thing.address for thing in world}) == 1000
    assert len(things(5)) == 5000
    assert [len(cause) for cause in storm(world)] == [40] * 7 + [20]
    assert len(leaves(world, "icmp")) == 400
    names = {thing.name for thing in world}
    assert all(thing.parent in names for thing in world if thing.name[-3:] != "i00")


def test_the_delays_victims_are_of_every_kind_and_stand_apart() -> None:
    chosen = victims(things())
    assert Counter(thing.kind for thing in chosen) == dict.fromkeys(("icmp", "dns", "tcp", "http"), 5)
    assert len({thing.territory for thing in chosen}) == 20
    assert not {thing.name for thing in chosen} & {thing.parent for thing in things()}


def test_goals_name_figures_that_experiments_give() -> None:
    source = (ROOT / "bench/experiments.py").read_text()
    for goal in (*GOALS, *GOALS_5000):
        assert goal.figure in source or goal.figure.startswith("burst_"), goal


def test_the_processes_cost_is_read_from_proc() -> None:
    assert cpu_seconds([os.getpid()]) > 0
    assert 5 < rss_mb([os.getpid()]) < 2000


def test_a_peer_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert Stack.missing() == "not installed: prometheus, prometheus-blackbox-exporter, prometheus-alertmanager"
    assert "stack default" in CONTENDERS


def test_options_are_the_same_everywhere() -> None:
    made = parser("text", ["one", "two"], ["lambi", "peer"]).parse_args(["--only", "two,one", "--contenders", "peer"])
    assert (made.only, made.contenders, made.check) == (["two", "one"], ["peer"], False)
