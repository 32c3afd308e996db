"""Which channels are out of reach while the own link is cut."""

from pathlib import Path

import pytest

from alerting.channels.apprise import Apprise
from alerting.channels.gammu import Gammu
from alerting.channels.kannel import Kannel
from alerting.channels.smtp import Smtp
from alerting.channels.webhook import Webhook
from monitor.model import Check, World
from monitor.ways import cut, families
from tests.monitor.sim import Fault
from tests.monitor.test_pipeline import everything, story
from tests.monitor.worlds import check, make_world

SECRET = "a secret of sixteen"


def kannel(url: str) -> Kannel:
    return Kannel(url, "lambi", SECRET)


@pytest.mark.parametrize(
    ("channel", "over"),
    [
        (Gammu("/var/spool/gammu"), ()),
        (kannel("http://127.0.0.1:13013/cgi-bin/sendsms"), ()),
        (kannel("http://[::1]:13013/cgi-bin/sendsms"), ()),
        (kannel("http://localhost:13013/cgi-bin/sendsms"), ()),
        (kannel("http://192.168.7.2:13013/cgi-bin/sendsms"), ()),
        (kannel("http://9.9.9.9:13013/cgi-bin/sendsms"), (4,)),
        (kannel("http://[2620:fe::fe]:13013/cgi-bin/sendsms"), (6,)),
        (kannel("http://sms.example:13013/cgi-bin/sendsms"), (4, 6)),
        (Smtp("mail.example.net", "lambi@example.net"), (4, 6)),
        (Smtp("10.0.0.25", "lambi@example.net"), ()),
        (Webhook(SECRET), (4, 6)),
        (Apprise("json://hook.example/{to}"), (4, 6)),
    ],
)
def test_where_a_provider_stands(channel: object, over: tuple[int, ...]) -> None:
    assert families(channel) == over


@pytest.mark.parametrize(
    ("sees", "lost", "why"),
    [
        ({4, 6}, set(), ""),
        ({6}, {4}, ""),
        (set(), set(), ""),
        (set(), {4}, "this site is cut off from the world"),
        (set(), {4, 6}, "this site is cut off from the world"),
    ],
)
def test_a_name_is_out_of_reach_when_a_family_is_lost_and_none_works(sees: set[int], lost: set[int], why: str) -> None:
    assert cut(Smtp("mail.example.net", "l@example.net"), sees.__contains__, lost.__contains__) == why
    assert cut(Gammu("/x"), sees.__contains__, lost.__contains__) == ""


def test_an_address_goes_by_its_own_family() -> None:
    assert cut(kannel("http://9.9.9.9/x"), {6}.__contains__, {4}.__contains__) == "this site is cut off over IPv4"
    assert cut(kannel("http://[2620:fe::fe]/x"), {6}.__contains__, {4}.__contains__) == ""


async def test_the_lines_own_verdict_decides(tmp_path: Path) -> None:
    world: World = make_world([check("router:bon")], [])
    hits = everything

    def never(_: Check) -> bool:
        return False

    mail = Smtp("mail.example.net", "l@example.net")
    for name, fault, why in (("a", hits, "this site is cut off from the world"), ("b", never, "")):
        simulation = await story(tmp_path / name, world, 100, Fault(30, 1000, fault))
        assert simulation.pipeline.cut(mail) == why
        assert simulation.pipeline.cut(Gammu("/x")) == ""
        await simulation.close()
