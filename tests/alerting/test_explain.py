"""Who is told and why; what is kept of a person and how it goes."""

from dataclasses import replace

from alerting.directory import Ladder, Route, Silence, Step
from alerting.explain import explain, routes
from alerting.forget import EMPTIED, forget
from alerting.gate import Rules
from alerting.interval import Interval
from alerting.journal import Journal
from alerting.match import parse
from alerting.model import Severity
from alerting.rota import Rotation
from tests.alerting.fakes import OPEN, Office, Provider, at, contact, directory

LADDER = Ladder("up", "agency of duty", (Step(("duty",), 600), Step(("boss",), 60)))
TREE = Route(
    "bb",
    ("noc",),
    territories=("BB",),
    ladders=("up",),
    routes=(Route("power", ("grid",), kinds=("power",)), Route("grave", ("boss",), at_least=Severity.CRITICAL)),
)
NIGHT = Route("night", ("web", "roster"), mute=("always",))
NAMES = ("noc", "duty", "boss", "grid", "web", "far")
WHO = replace(
    directory(
        *(contact(name, "sms", "mail") for name in ("noc", "duty", "boss", "grid", "web", "far")), contact("off")
    ),
    routes=(TREE, NIGHT, Route("jm", ("far",), territories=("JM",)), Route("x", ("off", "gap"))),
    ladders={"up": LADDER},
    intervals={"always": Interval("always", times=((0, 1440),), months=((9, 9),))},
    rotations={"roster": Rotation("roster", since=at(-1), members=("duty",)), "gap": Rotation("gap")},
)


def told(**fields: object) -> dict[str, tuple[str, str]]:
    alert = replace(OPEN, **fields)  # type: ignore[arg-type] # a test's own
    return {line.contact: (line.told, line.why) for line in explain(alert, Rules(WHO), at(1))}


def test_each_contact_once_with_the_reason() -> None:
    assert told() == {
        "noc": ("now", "route bb by sms, mail"),
        "duty": ("now", "route bb, ladder up, step 1 by sms, mail"),
        "boss": (
            "later",
            "route bb, ladder up, step 2 by sms, mail: after 10 min, if nobody of agency of duty acknowledges",
        ),
        "web": ("later", "route night: route night is muted: always, until 01 Oct 00:00 UTC"),
        "off": ("no", "route x: no address of theirs is switched on"),
        "gap": ("no", "route x: nobody is on duty"),
        "grid": ("no", "no route that takes it names them (power: it is a cable, not a power)"),
        "far": ("no", "no route that takes it names them (jm: it is in BB, not in JM)"),
    }


def test_the_first_child_takes_it_from_its_parent() -> None:
    assert told(kind="power")["grid"][0] == "now"
    assert told(kind="power")["noc"] == (
        "no",
        "no route that takes it names them (bb: a route below it takes it)",
    )
    taken = {name: (takes, why) for name, takes, why in routes(replace(OPEN, kind="power"), WHO)}
    assert taken["power"] == (True, "")
    assert taken["jm"] == (False, "it is in BB, not in JM")


def test_a_silence_says_who_and_until_when() -> None:
    quiet = Silence("s3", (parse("kind=cable"),), at(0), at(30), "ops", "known")
    lines = explain(OPEN, Rules(WHO, (quiet,)), at(1))
    assert [line.why for line in lines if line.contact == "noc"] == [
        "route bb: silenced by ops (s3): known, until 01 Sep 12:30 UTC"
    ]


async def test_to_forget_empties_one_persons_words_alone_and_the_history_stays(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms"), contact("ctu", "sms")), {"sms": Provider()})
    await office.happen(OPEN)
    await office.pass_time(0)
    async with journal.transaction() as tx:
        assert await forget(tx, "noc") == {"text": 1, "heard": 0, "proof": 0}
        assert await forget(tx, "noc") == {"text": 0, "heard": 0, "proof": 0}
    assert await journal.read("SELECT count(*) FROM text") == [(1,)]
    assert len(await office.states()) == 2
    kept = (
        "SELECT contact, why FROM notification UNION ALL SELECT answer, error FROM attempt "
        "UNION ALL SELECT * FROM contact"
    )
    dump = [str(row) for row in await journal.read(kept)]
    assert not any("@" in row for row in dump)


async def test_every_table_that_may_hold_a_persons_words_is_emptied(journal: Journal) -> None:
    """Whoever adds a table with a column for words, addresses or numbers of persons lists it in `forget.EMPTIED`."""
    columns = await journal.read(
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
    )
    personal = {
        table for table, column in columns if column in {"body", "subject", "text", "sender", "address", "number_"}
    }
    assert personal <= EMPTIED.keys()
