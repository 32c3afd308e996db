"""Causes that nobody watches, that come back in part, that the config takes away, and that no incident tells of."""

from dataclasses import replace
from datetime import timedelta

from monitor.incidents import no_longer_watched
from monitor.model import Dependency, Phase, SeverityRow, World
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.test_incidents import Story
from tests.monitor.worlds import asset, check, islands, make_world


def without_checks(world: World, name: str) -> World:
    return replace(world, checks={k: v for k, v in world.checks.items() if v.asset != name})


def test_an_asset_that_is_gone_from_the_config_closes_its_incident() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    rest = Topology(make_world([check("router:ant")], []))
    book, changes = no_longer_watched(story.book, rest, START + timedelta(seconds=99))
    assert not book.open
    assert changes[0].incident.title == "Cable BON1 down"


def test_a_child_that_is_no_longer_watched_keeps_no_incident_open() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon"])
    story.topology = Topology(without_checks(islands(), "router:bon"))
    story.book, _ = no_longer_watched(story.book, story.topology, START + timedelta(seconds=99))
    assert story.at(200, up=["cable:bon1"]) == [("closed", "1", "Cable BON1 down")]


def test_what_is_no_longer_watched_does_not_wait() -> None:
    story = Story(islands())
    story.at(9, suspect=["cable:bon1"])
    story.at(10, down=["router:bon"])
    assert "router:bon" in story.book.waiting
    rest = Topology(without_checks(islands(), "router:bon"))
    book, _ = no_longer_watched(story.book, rest, START + timedelta(seconds=99))
    assert "router:bon" not in book.waiting


def test_a_child_speaks_when_no_incident_tells_of_its_cause() -> None:
    world = islands()
    silent = SeverityRow("cable", Phase.DOWN, None)
    story = Story(replace(world, severities=(silent, *world.severities)))
    assert story.at(10, down=["cable:bon1"]) == []
    assert story.at(12, down=["router:bon"]) == [("opened", "1", "Router BON down")]
    assert not story.book.waiting


def unwatched_between() -> World:
    return make_world(
        [check("cable:c"), check("router:r")],
        [
            Dependency("landing:l", ("cable:c",), "all", confirmed=True),
            Dependency("router:r", ("landing:l",), "all", confirmed=True),
        ],
        asset("landing:l", "DM"),
    )


def test_a_child_joins_its_cause_through_what_nobody_watches() -> None:
    story = Story(unwatched_between())
    story.at(10, down=["cable:c"])
    assert story.at(12, down=["router:r"]) == [("updated", "1", "Cable C down")]
    assert story.book.open["1"].children == ("router:r",)
    assert not story.book.waiting
    story.at(50, up=["cable:c"])
    assert story.at(55, up=["router:r"]) == [("closed", "1", "Cable C down")]


def test_the_verdict_on_what_stands_behind_the_unwatched_is_waited_for() -> None:
    story = Story(unwatched_between())
    story.at(9, suspect=["cable:c"])
    assert story.at(10, down=["router:r"]) == []
    assert story.at(12, down=["cable:c"]) == [("opened", "1", "Cable C down")]
    assert story.book.open["1"].children == ("router:r",)


def test_a_late_child_waits_for_its_time_through_what_nobody_watches() -> None:
    story = Story(unwatched_between())
    story.at(10, down=["cable:c"])
    story.at(20, up=["cable:c"])
    assert story.at(20, down=["router:r"]) == []
    assert story.at(30, up=["router:r"]) == []
    assert not story.book.waiting


def test_a_child_that_has_another_way_again_speaks_for_itself_after_its_time() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    story.at(20, down=["cable:ant2"])
    story.at(22, down=["router:ant"])
    assert story.at(100, up=["cable:ant1"]) == [("closed", "1", "Cable ANT1 down")]
    assert story.at(210) == []
    assert ("opened", "3", "Router ANT down") in story.at(221)
    assert story.book.open["2"].children == ()


def test_a_way_that_came_back_explains_nothing_while_another_never_went() -> None:
    story = Story(islands())
    story.at(10, down=["cable:ant1"])
    story.at(20, up=["cable:ant1"])
    assert story.at(20, down=["router:ant"]) == [("opened", "2", "Router ANT down")]


def test_a_child_that_cannot_be_seen_keeps_no_incident_open_for_ever() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon"])
    story.at(30, blind=["router:bon"])
    story.at(50, up=["cable:bon1"])
    assert story.at(160) == []
    assert story.at(171) == [("closed", "1", "Cable BON1 down")]


def test_while_nothing_can_be_seen_no_incident_closes_by_time() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon"])
    story.at(50, up=["cable:bon1"])
    story.at(60, blind=["router:bon", "cable:bon1"])
    assert story.at(500) == []
    story.at(600, up=["cable:bon1"])
    assert story.at(601) == []
    assert story.at(602, up=["router:bon"])[-1] == ("closed", "1", "Cable BON1 down")


def test_a_clock_that_was_set_back_delays_nothing_and_closes_no_incident_before_it_opened() -> None:
    story = Story(islands())
    story.at(5000, suspect=["cable:bon1"])
    story.at(5001, down=["router:bon", "router:ant"])
    assert "router:bon" in story.book.waiting
    assert story.at(1000) == []
    assert story.at(1061) == [("opened", "2", "Router BON down")]
    story.at(1070, up=["router:ant"])
    ended = story.closed["1"]
    assert ended.closed == ended.opened


def test_a_child_that_comes_and_goes_when_its_cause_is_back_stays_behind_it_until_it_stays_or_is_down() -> None:
    story = Story(islands())
    story.at(10, down=["cable:bon1"])
    story.at(12, down=["router:bon"])
    story.at(100, up=["cable:bon1"])
    [(name, parts)] = [(name, parts) for name, parts in story.states.items() if name.startswith("router:bon")]
    story.states[name] = {"": replace(parts[""], phase=Phase.DEGRADED, settled=Phase.DEGRADED, flapping=True)}
    assert story.at(101) == story.at(300) == []
    assert [what for what, _, _ in story.at(400, up=["router:bon"])] == ["closed"]


def test_a_cctld_that_spoke_first_gives_its_incident_to_the_only_server_of_two_zones() -> None:
    server = "nameserver:both"
    one, two = (check(server, serves=(f"cctld:{zone}",), name=zone) for zone in ("one", "two"))
    story = Story(make_world([one, two], []))
    assert story.at(10, down=[one.id]) == [("opened", "1", "ccTLD ONE down")]
    assert story.at(13, down=[two.id])[-1][2] == "Name server BOTH down"
    assert set(story.book.open["1"].children) == {"cctld:one", "cctld:two"}


def test_a_guess_joins_what_turns_out_to_explain_all_that_spoke_for_it() -> None:
    routers = ["router:one", "router:two"]
    needs = [Dependency(name, (above,), "all", True) for name in routers for above in ("site:both", "network:transit")]
    story = Story(make_world([*map(check, routers), check("network:transit")], needs, asset("site:both")))
    story.at(10, down=routers)
    assert [one.asset for one in story.book.open.values()] == ["site:both"]
    story.at(13, down=["network:transit"])
    assert {one.asset for one in story.book.open.values() if not one.silent} == {"network:transit"}


def test_trouble_that_is_only_remembered_opens_nothing_when_its_cause_is_gone() -> None:
    four, six = check("website:w"), check("website:w", family=6)
    needs = [Dependency("website:w", ("router:r",), "all", True)]
    story = Story(make_world([check("router:r"), four, six], needs))
    story.at(10, down=["router:r"])
    story.at(11, down=["website:w"])
    story.at(20, blind=[six.id])
    story.at(30, up=["router:r", four.id])
    assert story.at(200) == [("closed", "1", "Router R down")]
    assert not story.book.open
    assert story.at(300, down=[six.id]) == [("opened", "2", "Web site W degraded")]


def test_what_falls_a_moment_after_its_cause_came_back_waits_whether_that_stays() -> None:
    needs = [Dependency("router:r", ("cable:c",), "all", True), Dependency("website:w", ("router:r",), "all", True)]
    story = Story(make_world([check("cable:c"), check("router:r"), check("website:w")], needs))
    story.at(10, down=["cable:c"])
    story.at(30, up=["cable:c"])
    assert story.at(45, down=["website:w"]) == []
    assert story.at(60, up=["website:w"]) == []
    story.at(70, down=["website:w"])
    assert story.at(131) == [("opened", "2", "Web site W down")]


def test_an_incident_that_nobody_sees_closes_though_another_that_nobody_sees_stood_behind_it() -> None:
    """A landing was presumed lost, then the power under it: when all is back neither can be seen to be so."""
    needs = [("cable:c1", "landing:l"), ("cable:c2", "landing:l"), ("landing:l", "power:p"), ("router:r", "power:p")]
    world = make_world(
        [check(name) for name in ("cable:c1", "cable:c2", "router:r")],
        [Dependency(name, (need,), "all", confirmed=True) for name, need in needs],
        asset("landing:l", "DM"),
        asset("power:p", "DM"),
    )
    story = Story(world)
    story.at(10, down=["cable:c1", "cable:c2"])
    assert [one.asset for one in story.book.open.values()] == ["landing:l"]
    story.at(11, down=["router:r"])
    (one,) = story.book.open.values()
    assert (one.asset, "landing:l" in one.children) == ("power:p", True)
    story.at(100, up=["cable:c1", "cable:c2", "router:r"])
    story.at(400)
    assert not story.book.open


def test_a_cctld_waits_for_the_last_word_on_its_only_server() -> None:
    """One server of three zones: while its verdict for one of them is on its way, the others do not speak yet."""
    server, zones = check("nameserver:ns"), ("cctld:a", "cctld:b", "cctld:c")
    checks = [replace(server, id=f"{server.id}{zone}", serves=(zone,)) for zone in zones]
    homes = zip(zones, ("AG", "DM", "LC"), strict=True)
    story = Story(make_world(checks, [], *(asset(zone, code) for zone, code in homes)))
    story.at(9, suspect=zones)
    assert story.at(10, down=["cctld:b", "cctld:c"]) == []
    story.at(12, down=["cctld:a"])
    assert [one.asset for one in story.book.open.values()] == ["nameserver:ns"]
