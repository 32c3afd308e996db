"""Alertmanager's own scenarios (test/with_api_v2/acceptance, and those measured on 0.25), in simulated time.

Beside each stands what Alertmanager sends; ours is the same, or better with the reason. Seconds count from the start; a
message is written as when it left, to whom, and of what, "+" open and "-" over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from alerting import silence
from alerting.directory import Directory, Inhibition, Route, Silence
from alerting.gate import silenced
from alerting.interval import Interval
from alerting.journal import Journal, micros
from alerting.match import parse
from alerting.model import Alert, Severity
from tests.alerting.fakes import DESK, OPEN, Office, Provider, contact
from tests.fakes import START

Message = tuple[float, str, str]
DAY = 86_400.0


def second(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def alert(name: str, began: float, ended: float | None = None, **labels: str) -> Alert:
    """An alert as a source would give it; its own labels, and no kind that we know."""
    return replace(
        OPEN,
        incident=name,
        kind="external",
        asset="",
        what=f"{name} is bad",
        opened=second(began),
        closed=None if ended is None else second(ended),
        closing="" if ended is None else "answers again",
        revision=1 if ended is None else 2,
        labels={"alertname": name, **labels},
    )


def people(*routes: Route, **more: Any) -> Directory:
    names = dict.fromkeys(name for route in routes for leaf in (route, *route.routes) for name in leaf.contacts)
    who = {name: contact(name, name) for name in names}
    return Directory(who, routes, DESK, dict.fromkeys(Severity, DAY), **more)


async def sent(journal: Journal) -> list[Message]:
    """Return the messages that were taken: when they left, to whom, and of what."""
    rows = await journal.read(
        "SELECT a.intent_at, n.contact, "
        "group_concat(n.incident || CASE a.closed WHEN 1 THEN '-' ELSE '+' END, ' ') "
        "FROM (SELECT * FROM attempt ORDER BY id) a JOIN notification n ON n.id = a.notification "
        "WHERE a.status = 'accepted' GROUP BY coalesce(a.bundle, a.id) ORDER BY 1, 2"
    )
    return [(round((at - micros(START)) / 1e6, 1), who, " ".join(sorted(told.split()))) for at, who, told in rows]


@dataclass
class Stage:
    """Plays events at their seconds and reads from the journal what left."""

    journal: Journal
    directory: Directory
    events: list[tuple[float, Alert | Callable[["Stage"], Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.providers = {name: Provider() for name in self.directory.contacts}
        self.office = Office(self.journal, self.directory, self.providers)

    def at(self, seconds: float, *happens: Any) -> "Stage":
        self.events += [(seconds, one) for one in happens]
        return self

    async def play(self, until: float, step: float = 0.1) -> list[Message]:
        clock = self.office.clock
        events = sorted(self.events, key=lambda event: event[0])
        for tick in range(round(until / step) + 1):
            clock.elapsed = round(tick * step, 3)
            while events and events[0][0] <= clock.elapsed:
                what = events.pop(0)[1]
                await (self.office.happen(what) if isinstance(what, Alert) else what(self))
            await self.office.outbox.run_due(clock.now())
        return await sent(self.journal)

    async def ends(self) -> list[tuple[Any, ...]]:
        return await self.journal.read("SELECT incident, state, why FROM notification ORDER BY id")


def group(name: str = "r", wait: float = 1, interval: float = 1, repeat: float = 0, **more: Any) -> Route:
    fields = {"group_by": (), "group_wait": wait, "group_interval": interval, "repeat_seconds": repeat, **more}
    return Route(name, (name,), **fields)


async def test_repeat(journal: Journal) -> None:
    """Alertmanager: 2, 3 firing; 4 resolved; then nothing. Ours: the same."""
    stage = Stage(journal, people(group(repeat=1))).at(1, alert("t1", 1)).at(3.5, alert("t1", 1, 3.5))
    assert await stage.play(9) == [(2, "r", "t1+"), (3, "r", "t1+"), (4, "r", "t1-")]


async def test_batching(journal: Journal) -> None:
    """Alertmanager: 2 {t1 t5}; 4.1 all five; 9.1 all five.

    Ours: 2.1 {t1 t5}; 4.3 the three that are new, together, for five in place of three say no more; one reminder of all
    five, 4.9 after the last word.
    """
    stage = Stage(journal, people(group(repeat=4.9))).at(1.1, alert("t1", 1)).at(1.7, alert("t5", 1))
    stage.at(3.3, *(alert(name, 3) for name in ("t2", "t3", "t4")))
    assert await stage.play(10) == [(2.1, "r", "t1+ t5+"), (4.3, "r", "t2+ t3+ t4+"), (9.2, "r", "t1+ t2+ t3+ t4+ t5+")]


async def test_within_the_interval_news_wait_and_leave_together(journal: Journal) -> None:
    """Alertmanager: 2 {a}; 7 {a b c}. Ours: 2 {a}; 7 {b c}."""
    stage = Stage(journal, people(group(interval=5))).at(1, alert("a", 1)).at(3, alert("b", 3)).at(6, alert("c", 6))
    assert await stage.play(9) == [(2, "r", "a+"), (7, "r", "b+ c+")]


async def test_groups_are_apart_by_their_labels(journal: Journal) -> None:
    """Alertmanager: one message for each group. Ours: the same."""
    stage = Stage(journal, people(group(group_by=("zone",))))
    stage.at(1, alert("a", 1, zone="aa"), alert("b", 1, zone="bb"), alert("c", 1, zone="aa"))
    assert await stage.play(3) == [(2, "r", "a+ c+"), (2, "r", "b+")]


async def test_resolved_filter(journal: Journal) -> None:
    """Alertmanager: with ends 2 {v1 v2}, 7 {v1- v2 v3}, 12 {v2- v3}; without 2 {v1 v2}, 7 {v2 v3}. Ours: news alone."""
    stage = Stage(journal, people(group("t", interval=5), group("f", interval=5, resolved=False)))
    stage.at(1, alert("v1", 1), alert("v2", 1)).at(3, alert("v3", 3)).at(4, alert("v1", 1, 4))
    stage.at(11, alert("v2", 1, 11))
    assert await stage.play(14) == [
        (2, "f", "v1+ v2+"),
        (2, "t", "v1+ v2+"),
        (7, "f", "v3+"),
        (7, "t", "v1- v3+"),
        (12, "t", "v2-"),
    ]


async def test_reload(journal: Journal) -> None:
    """Alertmanager: 2 {a}; 9 {a b}, for its timers begin anew. Ours: 2 {a}; 8 {b}: timers are rows."""

    async def reload(stage: Stage) -> None:
        stage.office.directory = replace(stage.directory)
        stage.office.reborn()

    stage = Stage(journal, people(group(interval=6, repeat=600))).at(1, alert("a", 1)).at(3, reload)
    assert await stage.at(4, alert("b", 4)).play(12) == [(2, "r", "a+"), (8, "r", "b+")]


JOB = Inhibition("job", (parse("alertname=JobDown"),), (parse("alertname=~InstanceDown.*"),), ("job", "zone"))
AA, AB = {"job": "testjob", "zone": "aa"}, {"job": "testjob", "zone": "ab"}


async def test_inhibit(journal: Journal) -> None:
    """Alertmanager: 2 {test1 ID/aa ID/ab}; 3 {test1 ID/ab JobDown}; 4 {test1 ID/aa ID/ab JobDown-}.

    Ours: 2 the same; then only JobDown and its end. That ID/aa goes on is no news to whoever was told at 2.
    """
    down = [alert("test1", 1, **AA), alert("InstanceDown1", 1, **AA), alert("InstanceDown2", 1, **AB)]
    stage = Stage(journal, people(group(), inhibitions=(JOB,))).at(1, *down)
    stage.at(2.2, alert("JobDown", 2.2, **AA)).at(3.6, alert("JobDown", 2.2, 3.6, **AA))
    assert await stage.play(8) == [
        (2, "r", "InstanceDown1+ InstanceDown2+ test1+"),
        (3.2, "r", "JobDown+"),
        (4.2, "r", "JobDown-"),
    ]


async def test_what_was_inhibited_is_told_when_its_cause_ends_and_it_does_not(journal: Journal) -> None:
    """Alertmanager: the same, at its next interval."""
    stage = Stage(journal, people(group(), inhibitions=(JOB,)))
    stage.at(1, alert("JobDown", 1, **AA), alert("InstanceDown1", 1, **AA)).at(30, alert("JobDown", 1, 30, **AA))
    assert await stage.play(33) == [(2, "r", "JobDown+"), (30, "r", "InstanceDown1+ JobDown-")]


async def test_inhibit_and_both_end_together(journal: Journal) -> None:
    """Alertmanager: 2 {JobDown}; 3 {ID- JobDown-}: an end whose beginning was never sent. Ours: 2; 3 JobDown- alone."""
    stage = Stage(journal, people(group(), inhibitions=(JOB,)))
    stage.at(1, alert("JobDown", 1, **AA), alert("InstanceDown1", 1, **AA))
    stage.at(2.6, alert("InstanceDown1", 1, 2.6, **AA), alert("JobDown", 1, 2.6, **AA))
    assert await stage.play(6) == [(2, "r", "JobDown+"), (3, "r", "JobDown-")]
    assert ("InstanceDown1", "refused", "inhibited by JobDown (rule job)") in await stage.ends()


T1 = (parse("alertname=t1"),)


async def test_silence(journal: Journal) -> None:
    """Alertmanager, repeating each second: 2 both; 3, 4 {t2}; 5 both. Ours: the same."""
    quiet = Silence("s1", T1, second(2.5), second(4.5), "ops", "known")
    stage = Stage(journal, people(group(repeat=1), silences=(quiet,))).at(1, alert("t1", 1), alert("t2", 1))
    found = await stage.play(5.9)
    assert found[:3] == [(2, "r", "t1+ t2+"), (3, "r", "t2+"), (4, "r", "t2+")]
    assert {told for at, _, told in found if 4.4 < at <= 5.6} in ({"t1+", "t2+"}, {"t1+ t2+"})


async def test_silence_taken_back(journal: Journal) -> None:
    """Alertmanager: only 3.5 to 4.5 both. Ours: at 3.5, when it is taken back."""

    async def quiet(stage: Stage) -> None:
        now = stage.office.clock.now()
        wish = silence.Wish((parse("alertname=~t.*"),), now, second(100), "ops", "known")
        async with stage.journal.transaction() as tx:
            assert await silence.add(tx, wish, now) == "s1"

    async def back(stage: Stage) -> None:
        async with stage.journal.transaction() as tx:
            assert await silence.end(tx, "s1", "ops", stage.office.clock.now())
            assert not await silence.end(tx, "s1", "ops", stage.office.clock.now())

    stage = Stage(journal, people(group())).at(1, alert("t1", 1), alert("t2", 1)).at(1.3, quiet).at(3.5, back)
    assert await stage.play(5) == [(3.5, "r", "t1+ t2+")]


async def test_what_ends_within_a_silence_is_told_nobody_and_the_row_says_why(journal: Journal) -> None:
    """Alertmanager: nothing, and no trace. Ours: nothing is sent, and the row names the silence and its author."""
    quiet = Silence("s1", T1, second(0), second(5), "BARIX NOC", "new line card")
    stage = Stage(journal, people(group(), silences=(quiet,))).at(1, alert("t1", 1)).at(3, alert("t1", 1, 3))
    assert await stage.play(8) == []
    assert await stage.ends() == [("t1", "refused", "silenced by BARIX NOC (s1): new line card")]


async def test_whoever_was_told_hears_of_the_end_through_a_silence(journal: Journal) -> None:
    """Alertmanager: no end. Ours: it is told, for whoever was called waits for it."""
    quiet = Silence("s1", T1, second(2.5), second(50), "ops", "known")
    stage = Stage(journal, people(group(), silences=(quiet,))).at(1, alert("t1", 1)).at(4, alert("t1", 1, 4))
    assert await stage.play(6) == [(2, "r", "t1+"), (4, "r", "t1-")]


async def test_an_old_alert_does_not_wait_for_its_group(journal: Journal) -> None:
    """Alertmanager: 1.01 at once. Ours: the same."""
    stage = Stage(journal, people(group(wait=3))).at(1, alert("t1", -100))
    assert await stage.play(2) == [(1, "r", "t1+")]


async def test_continue(journal: Journal) -> None:
    """Alertmanager: r1 {x1}, {x2}; r2 {x2}; default {x3}. Ours: the same."""
    one = replace(group("r1"), match=(parse("test=~1|2"),), proceed=True, group_by=("test",))
    two = replace(group("r2"), match=(parse("test=2"),), group_by=("test",))
    stage = Stage(journal, people(replace(group("default"), routes=(one, two))))
    stage.at(1, *(alert(f"x{value}", 1, test=value) for value in "123"))
    found = await stage.play(4)
    assert sorted((who, told) for _, who, told in found) == [
        ("default", "x3+"),
        ("r1", "x1+"),
        ("r1", "x2+"),
        ("r2", "x2+"),
    ]


async def test_mute_interval(journal: Journal) -> None:
    """Alertmanager: the muted route tells nothing, no end either; the other 2, 4. Ours: so too; the row says why."""
    always = Interval("always")
    muted = replace(group("muted"), match=(parse("m=y"),), mute=("always",))
    stage = Stage(journal, people(replace(group("other"), routes=(muted,)), intervals={"always": always})).at(
        1, alert("a", 1, m="y"), alert("b", 1, m="n")
    )
    stage.at(3.2, alert("a", 1, 3.2, m="y"), alert("b", 1, 3.2, m="n"))
    assert await stage.play(5) == [(2, "other", "b+"), (3.2, "other", "b-")]
    assert (await stage.ends())[0] == ("a", "refused", "route muted is muted: always")


async def test_a_flap_within_the_interval(journal: Journal) -> None:
    """Alertmanager: only 2; the flap is not seen. Ours: so too; the end that nobody heard is taken back."""
    stage = Stage(journal, people(group(interval=3))).at(1, alert("t", 1)).at(2.5, alert("t", 1, 2.4))
    assert await stage.at(3, alert("t", 1)).play(9) == [(2, "r", "t+")]
    assert ("t", "superseded", "open again") in await stage.ends()


def down(until: float) -> Callable[[Stage], Any]:
    async def begin(stage: Stage) -> None:
        for provider in stage.providers.values():
            provider.down = stage.office.clock.elapsed < until

    return begin


@pytest.mark.parametrize(
    ("ends", "until", "told"),
    [
        (None, 13.5, "t+"),  # Alertmanager: 15.46, its own pause of two seconds after a try of ten
        (5, 9, "t-"),  # Alertmanager: 11.59 a stale "firing", and at the same moment "resolved"
        (5, 13.5, "t-"),  # Alertmanager: nothing, ever
    ],
)
async def test_the_way_out_is_down(journal: Journal, ends: float | None, until: float, told: str) -> None:
    """Ours: told once, with the truth of the moment it leaves, within the backoff of at most fifteen seconds."""
    stage = Stage(journal, people(group(interval=2))).at(0, down(until)).at(until, down(until)).at(1, alert("t", 1))
    if ends:
        stage.at(ends, alert("t", 1, ends))
    [(at, _, found)] = await stage.play(50)
    assert found == told
    assert until <= at <= until + 15.1


async def test_one_way_out_is_down(journal: Journal) -> None:
    """Alertmanager: the healthy one's second message comes at 5.41, after the other. Ours: at 4, its time."""

    async def fail(stage: Stage) -> None:
        stage.providers["b"].down = stage.office.clock.elapsed < 4.5

    stage = Stage(journal, people(group("a", repeat=2), group("b", repeat=2))).at(0, fail).at(4.5, fail)
    found = await stage.at(1, alert("t", 1)).play(5)
    assert [at for at, who, _ in found if who == "a"] == [2, 4]


async def test_death_within_the_groups_wait_and_after_a_send(journal: Journal) -> None:
    """Alertmanager: killed in group_wait never, killed after a send again at restart. Ours: once in both cases."""

    async def die(stage: Stage) -> None:
        stage.office.reborn()

    stage = Stage(journal, people(group())).at(1, alert("t", 1)).at(1.5, die).at(4, die)
    assert await stage.play(8) == [(2, "r", "t+")]


def test_a_silence_needs_a_value_an_author_and_an_end() -> None:
    now = second(0)
    fine = silence.Wish(T1, now, second(60), "ops", "known")
    assert silence.checked(fine, now) == fine
    for bad, field_ in (
        (replace(fine, match=()), "match"),
        (replace(fine, match=(parse("alertname=~.*"),)), "match"),
        (replace(fine, match=(parse("alertname!=t1"),)), "match"),
        (replace(fine, author=" "), "author"),
        (replace(fine, reason=""), "reason"),
        (replace(fine, until=now), "until"),
        (replace(fine, until=now + timedelta(days=40)), "until"),
    ):
        with pytest.raises(ValueError, match=f"^{field_}: "):
            silence.checked(bad, now)
    one = Silence("s1", T1, now, second(60), "ops", "known")
    assert silenced(alert("t1", 0), [one], second(60)) is None
    assert silenced(alert("t2", 0), [one], second(1)) is None


@pytest.mark.parametrize(
    ("source", "target", "inhibits"),
    [  # Alertmanager's TestInhibitRuleHasEqual and TestInhibitRuleMatches
        ({"s": "1"}, {"t": "1"}, True),  # a label that both lack is equal
        ({"s": "1", "e": "x"}, {"t": "1", "e": "x"}, True),
        ({"s": "1", "e": "x"}, {"t": "1", "e": "y"}, False),
        ({"s": "1", "e": "x"}, {"t": "1"}, False),
        ({"s": "2"}, {"t": "1"}, False),
        ({"s": "1"}, {"t": "2"}, False),
        ({"s": "1", "t": "1"}, {"s": "1", "t": "1"}, False),  # what matches both sides is not silenced by its like
        ({"s": "1"}, {"s": "1", "t": "1"}, True),
        ({"s": "1", "t": "1"}, {"t": "1"}, True),
    ],
)
def test_inhibition(source: dict[str, str], target: dict[str, str], inhibits: bool) -> None:
    rule = Inhibition("rule", (parse("s=1"),), (parse("t=1"),), ("e",))
    assert rule.inhibits(source, target) is inhibits
