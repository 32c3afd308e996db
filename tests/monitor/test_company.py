"""What began in one moment and place without a known dependency: told together, each by its name, parted at the end."""

from dataclasses import replace
from datetime import timedelta

from monitor.alerts import to_alert
from monitor.model import Dependency, Incident, World
from tests.monitor.test_incidents import Story
from tests.monitor.worlds import asset, check, make_world


def island() -> World:
    """A cable, a router and a web site of one island, and a router of another; no config says what needs what."""
    world = make_world(
        [check("cable:c"), check("router:r"), check("website:w"), check("router:far"), check("network:n")],
        [Dependency("network:n", ("router:r",), "all", confirmed=True)],
        asset("cable:c", "DM"),
        asset("router:r", "DM"),
        asset("website:w", "DM"),
        asset("network:n", "DM"),
        asset("router:far", "AG"),
    )
    return replace(world, hold_seconds=60.0)


def event(story: Story, number: str) -> str:
    return to_alert(story.book.open[number], story.topology, (), "", "").event


def ends(story: Story) -> dict[str, Incident]:
    return story.closed


def test_what_fell_in_one_moment_and_place_is_one_event_of_which_the_likeliest_cause_stands_first() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "cable:c"])
    first, second = story.book.open["1"], story.book.open["2"]
    assert (first.asset, first.part_of) == ("cable:c", "")
    assert (second.asset, second.part_of, second.silent) == ("router:r", "1", False)
    assert event(story, "1") == event(story, "2") == "1"
    assert "nothing says that one explains the other" in second.timeline[-1].text


def test_what_another_told_of_first_is_named_after_the_cause_that_speaks_later() -> None:
    story = Story(island())
    story.at(10, down=["website:w"])
    story.at(12, down=["router:r"])
    story.at(14, down=["cable:c"])
    assert {one.asset: one.part_of for one in story.book.open.values()} == {
        "website:w": "3",
        "router:r": "3",
        "cable:c": "",
    }


def test_what_fell_elsewhere_or_at_another_time_is_no_company() -> None:
    story = Story(island())
    story.at(10, down=["cable:c"])
    story.at(12, down=["router:far"])
    story.at(90, down=["website:w"])
    assert [one.part_of for one in story.book.open.values()] == ["", "", ""]


def test_while_something_of_the_island_is_in_doubt_what_fell_waits_for_it_a_moment() -> None:
    story = Story(island())
    story.at(9, suspect=["cable:c"])
    assert story.at(10, down=["router:r"]) == []
    assert [what for what, _, _ in story.at(13, down=["cable:c"])] == ["opened", "opened"]
    story = Story(island())
    story.at(9, suspect=["cable:c"])
    assert story.at(10, down=["router:r"]) == []
    assert story.at(20) == [("opened", "1", "Router R down")]


def test_a_child_stands_behind_its_own_parent_and_not_behind_what_fell_with_it() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "cable:c"])
    story.at(12, down=["network:n"])
    assert {one.asset: one.children for one in story.book.open.values()} == {
        "cable:c": (),
        "router:r": ("network:n",),
    }


def test_what_comes_back_together_ends_together() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "cable:c"])
    story.at(100, up=["cable:c"])
    story.at(108, up=["router:r"])
    assert story.at(161) == []
    assert [what for what, _, _ in story.at(168)] == ["closed", "closed"]
    assert {one.part_of for one in ends(story).values()} == {"", "1"}


def test_what_comes_back_alone_stands_alone_with_its_true_beginning() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "cable:c"])
    story.at(100, up=["router:r"])
    assert [what for what, _, _ in story.at(161)] == ["closed"]
    ended = ends(story)["2"]
    assert (ended.asset, ended.part_of) == ("router:r", "")
    assert (ended.opened - ended.began, ended.closed) == (timedelta(), story.closed["2"].closed)
    assert any("this is over, and that is not" in entry.text for entry in ended.timeline)


def test_what_stays_away_when_the_other_is_back_stands_alone() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "cable:c"])
    story.at(100, up=["cable:c"])
    story.at(161)
    assert [(one.asset, one.part_of) for one in story.book.open.values()] == [("router:r", "")]


def test_an_incident_that_opens_again_has_forgotten_its_company() -> None:
    story = Story(replace(island(), reopen_seconds=300.0))
    story.at(10, down=["router:r", "cable:c"])
    story.at(100, up=["router:r"])
    story.at(161)
    assert ("reopened", "2", "Router R down") in story.at(200, down=["router:r"])
    assert story.book.open["2"].part_of == ""


def test_two_that_turn_out_to_need_each_other_are_part_of_one_another_in_one_way_only() -> None:
    story = Story(island())
    story.at(10, down=["router:r", "network:n"])
    story.at(12, down=["cable:c"])
    parts = {one.id: one.part_of for one in story.book.open.values()}

    def above(number: str, seen: tuple[str, ...] = ()) -> tuple[str, ...]:
        assert number not in seen
        return above(parts[number], (*seen, number)) if parts.get(number) else (*seen, number)

    assert all(map(above, parts))


def test_what_only_waits_for_company_speaks_with_the_first_of_it_that_does() -> None:
    story = Story(island())
    story.at(9, suspect=["cable:c", "router:r", "network:n"])
    assert story.at(10, down=["cable:c"]) == []
    assert [what for what, _, _ in story.at(12, down=["router:r"])] == ["opened", "opened"]  # the network hangs on it


def shared() -> World:
    """Two cables, one of them unseen, land where nobody looks; two routers need one of them, and a site nobody sees."""
    ways = Dependency("router:r1", ("cable:c1", "cable:c2"), "any", confirmed=True)
    site = Dependency("router:r1", ("site:s",), "all", confirmed=True)
    needs = [replace(one, asset=name) for one in (ways, site) for name in ("router:r1", "router:r2")]
    landed = [Dependency(cable, ("landing:l",), "all", confirmed=True) for cable in ("cable:c1", "cable:c2")]
    names = ("cable:c1", "cable:c2", "landing:l", "site:s", "router:r1", "router:r2")
    checks = [check(name) for name in ("cable:c1", "router:r1", "router:r2")]
    return make_world(checks, [*needs, *landed], *(asset(name, "DM") for name in names))


def test_what_is_still_coming_back_is_no_loss_of_something_else() -> None:
    story = Story(shared())
    story.at(10, down=["cable:c1", "router:r1", "router:r2"])
    assert [one.asset for one in story.book.open.values()] == ["landing:l"]
    story.at(100, up=["cable:c1"])
    story.at(110, up=["router:r1"])
    story.at(112, up=["router:r2"])
    assert {asset for _, _, asset in story.told} == {"Landing L down"}
    assert not story.book.open


def test_what_stays_away_for_long_when_the_rest_is_back_is_the_loss_of_something_else() -> None:
    story = Story(shared())
    story.at(10, down=["cable:c1", "router:r1", "router:r2"])
    story.at(100, up=["cable:c1"])
    story.at(101)
    assert ("opened", "2", "Site S down") not in story.at(219)
    story.at(222)
    assert [one.asset for one in story.book.open.values() if not one.part_of] == ["site:s"]
