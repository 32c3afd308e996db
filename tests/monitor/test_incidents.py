"""Incidents as stories: what fails when, and what people would be told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.model import Severity
from monitor.config import load
from monitor.detect import fresh
from monitor.docket import Book, Change
from monitor.incidents import apply, no_longer_watched, standings
from monitor.maintenance import Calendar
from monitor.model import Dependency, Incident, Phase, State, Window, World
from monitor.outlook import Outlook
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.worlds import VANTAGE, asset, check, islands, make_world


class Story:
    """A world whose checks are moved by hand; time in seconds since the start."""

    def __init__(self, world: World) -> None:
        self.topology = Topology(world)
        self.states: dict[str, dict[str, State]] = {}
        self.book = Book()
        self.calendar = Calendar()
        self.told: list[tuple[str, str, str]] = []
        """(what, incident, title)"""
        self.closed: dict[str, Incident] = {}
        self.at(0, up=list(self.topology.checks))

    def at(
        self,
        seconds: float,
        *,
        up: Iterable[str] = (),
        down: Iterable[str] = (),
        suspect: Iterable[str] = (),
        blind: Iterable[str] = (),
    ) -> list[tuple[str, str, str]]:
        now = START + timedelta(seconds=seconds)
        touched: set[str] = set()
        for parts in self.states.values():  # everything is looked at all the time
            parts[""] = replace(parts[""], seen=now)
        for phase, assets in ((Phase.UP, up), (Phase.DOWN, down), (Phase.SUSPECT, suspect), (Phase.UNKNOWN, blind)):
            for name in assets:
                touched |= self._move(name, phase, now)
        self.book, changes = apply(self.book, sorted(touched), Outlook(self.states, self.topology, now, self.calendar))
        return self._note(changes)

    def _move(self, name: str, phase: Phase, now: datetime) -> set[str]:
        """Move all checks of an asset, or the one that is named."""
        one = self.topology.world.checks.get(name)
        touched = {one.asset if one else name}
        for check_id in [name] if one else self.topology.checks[name]:
            state = self.states.get(check_id, {}).get("") or fresh(now)
            if phase is Phase.SUSPECT:
                moved = replace(state, phase=phase, since=now)
            else:
                before = state.before if phase is Phase.UNKNOWN else phase
                quiet = now - timedelta(seconds=1)
                moved = State(phase, now, f"is {phase}", phase, now, before, now, quiet=quiet)
            self.states[check_id] = {"": moved}
            found = self.topology.world.checks.get(check_id)
            touched |= set(found.serves) if found else set()
        return touched

    def _note(self, changes: list[Change]) -> list[tuple[str, str, str]]:
        for change in changes:
            if change.incident.closed:
                self.closed[change.incident.id] = change.incident
        new = [(change.what, change.incident.id, change.incident.title) for change in changes]
        self.told += new
        return new

    def phase(self, name: str) -> Phase:
        return standings([name], self.book, Outlook(self.states, self.topology, START))[name].shown


def test_the_only_cable_cut_is_one_incident_and_its_children_are_silent() -> None:
    story = Story(islands())
    assert story.at(10, down=["cable:bon1"]) == [("opened", "1", "Cable BON1 down")]
    assert story.book.open["1"].severity is Severity.CRITICAL
    assert story.book.open["1"].left == "BON has nothing left"
    assert story.at(12, down=["router:bon", "nameserver:ns.bon"]) == [("updated", "1", "Cable BON1 down")]
    assert set(story.book.open["1"].children) == {"router:bon", "nameserver:ns.bon", "cctld:bon"}
    assert story.phase("router:bon") is Phase.UNREACHABLE
    assert story.phase("nameserver:ns.bon") is Phase.UNREACHABLE
    assert story.phase("cable:bon1") is Phase.DOWN


def test_children_that_fall_first_wait_for_the_verdict_on_the_cable() -> None:
    story = Story(islands())
    assert story.at(9, suspect=["cable:bon1", "router:bon"]) == []
    assert story.at(10, down=["nameserver:ns.bon", "router:bon"]) == []
    assert story.at(12, down=["cable:bon1"]) == [("opened", "1", "Cable BON1 down")]
    assert set(story.book.open["1"].children) == {"router:bon", "nameserver:ns.bon", "cctld:bon"}
    assert not story.book.waiting


def test_a_child_speaks_for_itself_when_the_cable_is_cleared() -> None:
    story = Story(islands())
    story.at(9, suspect=["cable:bon1"])
    assert story.at(10, down=["router:bon"]) == []
    assert story.at(12, up=["cable:bon1"]) == [("opened", "1", "Router BON down")]


def test_patience_has_an_end() -> None:
    story = Story(islands())
    story.at(9, suspect=["cable:bon1"])
    assert story.at(10, down=["router:bon"]) == []
    assert story.at(71) == [("opened", "1", "Router BON down")]


def test_the_first_of_two_cables_warns_and_names_what_is_left_and_the_last_silences_what_is_behind() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    assert story.book.open["1"].severity is Severity.WARNING
    assert story.book.open["1"].left == "ANT still has ANT2"
    story.at(100, down=["cable:ant2"])
    assert story.book.open["2"].severity is Severity.CRITICAL
    story.at(101, down=["router:ant"])
    assert story.book.open["2"].children == ("router:ant",)
    assert story.book.open["1"].children == ()
    assert story.phase("router:ant") is Phase.UNREACHABLE


def test_that_the_last_of_two_cables_fell_is_told_once_by_its_own_incident() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    story.at(99, suspect=["router:ant"])
    assert ("opened", "2", "Cable ANT2 down") in story.at(100, down=["cable:ant2"])
    assert story.at(101, down=["cable:ant1"]) == []
    assert story.book.open["1"].severity is Severity.WARNING


def test_announced_work_on_the_other_cable_makes_the_first_ones_loss_worse() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    window = Window("w1", "cable:ant2", START, START + timedelta(hours=1), "splice", "noc")
    story.calendar = Calendar([window])
    assert story.at(100, down=["cable:ant2"]) == [("worse", "1", "Cable ANT1 down")]
    assert story.book.open["1"].severity is Severity.CRITICAL


def test_a_child_with_one_way_left_is_down_by_itself() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    assert story.at(20, down=["router:ant"]) == [("opened", "2", "Router ANT down")]
    assert story.phase("router:ant") is Phase.DOWN


def test_healing_closes_when_the_children_are_back() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon", "nameserver:ns.bon"])
    assert story.at(60, up=["cable:bon1"]) == [("updated", "1", "Cable BON1 down")]
    assert story.at(62, up=["nameserver:ns.bon"])[0][0] == "updated"
    assert story.at(63, up=["router:bon"]) == [("closed", "1", "Cable BON1 down")]
    assert not story.book.open
    assert [entry.what for entry in story.closed["1"].timeline] == [
        "opened",
        "joined",
        "joined",
        "joined",
        "recovered",
        "left",
        "left",
        "left",
        "closed",
    ]


def test_a_child_that_does_not_follow_speaks_for_itself_after_its_time() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon"])
    story.at(60, up=["cable:bon1"])
    assert story.at(120) == []
    assert story.at(181) == [("closed", "1", "Cable BON1 down"), ("opened", "2", "Router BON down")]


def test_a_child_confirmed_after_the_cable_came_back_waits_for_its_time() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(20, up=["cable:bon1"])
    story.states[story.topology.checks["router:bon"][0]][""] = State(
        Phase.DOWN,
        START + timedelta(seconds=15),
        "no answer",
        Phase.DOWN,
        START + timedelta(seconds=15),
        Phase.DOWN,
        START + timedelta(seconds=24),
    )
    now = START + timedelta(seconds=24)
    story.book, changes = apply(story.book, ["router:bon"], Outlook(story.states, story.topology, now))
    assert changes == []
    assert story.at(30, up=["router:bon"]) == []
    assert not story.book.waiting


def test_blindness_closes_nothing_and_opens_nothing() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    assert story.at(20, blind=list(story.topology.world.assets.keys() & story.topology.checks.keys())) == []
    assert list(story.book.open) == ["1"]
    assert story.phase("router:ant") is Phase.UNKNOWN


def test_a_hypothesis_silences_nobody() -> None:
    world = islands()
    guesses = tuple(replace(d, confirmed=False) for d in world.dependencies)
    story = Story(replace(world, dependencies=guesses))
    story.at(10, down=["cable:bon1"])
    assert ("opened", "2", "Router BON down") in story.at(12, down=["router:bon"])
    assert not story.book.open["2"].silent


def zone(servers: int) -> World:
    checks = [check(f"nameserver:ns{n}", serves=("cctld:dm",)) for n in range(servers)]
    return make_world(checks, [], asset("cctld:dm", "DM"))


def test_one_server_of_many_is_its_own_incident() -> None:
    story = Story(zone(3))
    assert story.at(10, down=["nameserver:ns0"]) == [("opened", "1", "Name server NS0 down")]
    assert story.book.open["1"].territories == ("DM",)
    assert story.phase("cctld:dm") is Phase.DEGRADED


def test_as_shipped_a_cable_that_leaves_another_is_a_warning_the_last_critical_one_of_unknown_use_major() -> None:
    world, new = islands(), check("cable:new")
    story = Story(
        replace(
            world,
            assets={**world.assets, new.asset: asset(new.asset)},
            checks={**world.checks, new.id: new},
            severities=load(None, {}).world.severities,
        )
    )
    story.at(10, down=["cable:ant1"])
    story.at(20, down=["cable:ant2"])
    story.at(30, down=["cable:new"])
    assert [one.severity for one in story.book.open.values()] == [Severity.WARNING, Severity.CRITICAL, Severity.MAJOR]


def test_the_last_server_left_makes_the_failure_of_another_a_major_incident() -> None:
    story = Story(zone(2))
    told = story.at(10, down=["nameserver:ns0"])
    assert told == [("opened", "1", "Name server NS0 down")]
    assert story.book.open["1"].severity is Severity.MAJOR
    assert story.book.open["1"].children == ("cctld:dm",)
    assert story.phase("cctld:dm") is Phase.DEGRADED


def test_all_servers_at_once_are_one_incident_of_the_cctld() -> None:
    story = Story(zone(4))
    servers = [f"nameserver:ns{n}" for n in range(4)]
    story.at(8, suspect=servers)
    assert story.at(10, down=servers[:1]) == []
    assert story.at(12, down=servers[1:]) == [("opened", "1", "ccTLD DM down")]
    assert set(story.book.open["1"].children) == set(servers)
    assert story.at(50, up=servers[:2])[-1][0] == "updated"
    assert list(story.book.open) == ["1"], "the other two have their time to follow"
    story.at(171)
    assert "1" in story.closed
    assert [i.title for i in story.book.open.values()] == ["Name server NS2 down", "Name server NS3 down"]
    story.at(180, up=servers)
    assert not story.book.open


def test_the_vantage_is_an_asset_with_its_own_incident() -> None:
    world = make_world([check("router:bon")], [], references=("one", "two", "three"))
    story = Story(world)
    assert story.at(10, down=[VANTAGE]) == [("opened", "1", "Vantage HUB cut off")]
    assert story.at(20, up=[VANTAGE]) == [("closed", "1", "Vantage HUB cut off")]


def test_what_nothing_watches_any_more_is_closed_with_that_word() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    rest = Topology(make_world([check("router:ant")], [], asset("cable:bon1", "DM")))
    book, changes = no_longer_watched(story.book, rest, START + timedelta(seconds=99))
    assert not book.open
    assert changes[0].incident.closing == "no longer watched"


def test_a_warning_becomes_worse_when_the_other_cable_goes_and_says_so_once() -> None:
    story = Story(
        make_world(
            [check("router:x", family=4), check("router:x", family=6)],
            [Dependency("router:x", (), "any", confirmed=True)],
        )
    )
    four, six = story.topology.checks["router:x"]
    now = START + timedelta(seconds=10)
    story.states[six][""] = State(Phase.DOWN, now, "silent", Phase.DOWN, now, Phase.DOWN, now)
    assert story.at(10, up=[]) == []
    story.book, changes = apply(story.book, ["router:x"], Outlook(story.states, story.topology, now))
    assert [(c.what, c.incident.severity) for c in changes] == [("opened", Severity.INFO)]
    story.states[four][""] = State(Phase.DOWN, now, "silent", Phase.DOWN, now, Phase.DOWN, now)
    story.book, changes = apply(story.book, ["router:x"], Outlook(story.states, story.topology, now))
    assert [(c.what, c.incident.severity, c.incident.title) for c in changes] == [
        ("worse", Severity.MAJOR, "Router X down")
    ]


def test_trouble_waits_until_what_it_depends_on_has_been_looked_at() -> None:
    story = Story(islands())
    router, cable = (story.topology.checks[name][0] for name in ("router:bon", "cable:bon1"))
    stale = story.states[cable][""]
    now = START + timedelta(seconds=10)
    story.states[router][""] = State(Phase.DOWN, now, "silent", Phase.DOWN, now, Phase.DOWN, now)
    story.book, changes = apply(story.book, ["router:bon"], Outlook(story.states, story.topology, now))
    assert changes == [], "the cable was last looked at before the router failed"
    story.states[cable][""] = replace(stale, seen=now + timedelta(seconds=1))
    story.book, changes = apply(story.book, [], Outlook(story.states, story.topology, now + timedelta(seconds=1)))
    assert [change.incident.title for change in changes] == ["Router BON down"]


def test_the_end_says_what_was_seen_at_the_worst_and_not_at_the_last_half_good_look() -> None:
    story = Story(make_world([check("router:r"), check("router:r", family=6)], []))
    story.at(10, down=["router:r"])
    now = START + timedelta(seconds=50)
    story.states["router:r/4/icmp/"] = {"": State(Phase.UP, now, "", Phase.UP, now, Phase.UP, now)}
    story.book, changes = apply(story.book, ["router:r"], Outlook(story.states, story.topology, now))
    assert [(one.incident.title, one.incident.reason) for one in changes] == [
        ("Router R degraded", "over IPv6 alone: 1 of 2 checks: is down")
    ]
    story.at(60, up=["router:r"])
    assert (story.closed["1"].title, story.closed["1"].reason) == ("Router R down", "2 of 2 checks: is down")
