"""Storms, long isolation, caps and credits: few messages that count, nothing lost, the truth of the moment."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from alerting import codes, digest
from alerting.directory import Budget, Cap, Directory
from alerting.gsm import ONE_PART, one_part
from alerting.journal import Journal
from alerting.model import Alert, Reason, Severity
from alerting.pace import Sent, affords, leaves
from alerting.plan import plan
from alerting.schema import MIGRATIONS as SCHEMA
from alerting.told import hanging
from alerting.words import Occasion
from tests.alerting.fakes import OPEN, MortalJournal, Office, Provider, at, closed, contact, directory
from tests.counts import soak

CAP = Cap(gap=90, most=6, within=3600, storm=10)
MAIL = Cap(gap=60, most=30, within=3600, storm=20, merge=3)
TARGETS = soak(ci=3_000, soak=10_000)


def capped(*names: str, **more: object) -> Directory:
    who = directory(*(contact(name, "sms", "mail") for name in names))
    return replace(who, caps={"sms": CAP, "mail": MAIL}, **more)  # type: ignore[arg-type] # a test's own


def incident(number: int, **fields: object) -> Alert:
    facts = {"incident": str(number), "what": f"Router r{number} down", "kind": "router", **fields}
    return replace(OPEN, **facts)  # type: ignore[arg-type] # fields of an alert


async def happen(office: Office, alerts: Iterable[Alert]) -> None:
    """Let many become true in one turn of the line."""
    async with office.journal.transaction() as tx:
        for alert in alerts:
            office.truths[alert.incident] = alert
            await plan(tx, alert, office.directory, office.clock.now())


def office_of(journal: Journal, who: Directory) -> tuple[Office, Provider, Provider]:
    sms, mail = Provider(), Provider("mail")
    return Office(journal, who, {"sms": sms, "mail": mail}), sms, mail


async def test_a_storm_leads_to_two_short_messages_in_the_first_hour(journal: Journal) -> None:
    """Targets fail within a minute of each other; some come back and fail again. Nobody is called a third time."""
    office, sms, mail = office_of(journal, capped("noc", "ctu"))
    for second in range(60):
        batch = range(second * TARGETS // 60, (second + 1) * TARGETS // 60)
        grave = [incident(n, severity=Severity.CRITICAL if n % 500 == 7 else Severity.MAJOR) for n in batch]
        office.clock.elapsed = second
        await happen(office, grave)
        await office.outbox.run_due(office.clock.now())
    for minute in range(2, 60):
        await office.pass_time(minute - office.clock.elapsed / 60)
        if minute == 20:
            await happen(office, [replace(closed(20), incident=str(n)) for n in range(0, TARGETS, 3)])
    for who in ("noc", "ctu"):
        texts = [message.body for message, to in sms.taken if to.to == f"{who}@sms.example"]
        assert len(texts) == 2
        assert re.match(rf"{TARGETS - TARGETS // 60} incidents: \d+ critical, \d+ major\. ", texts[1])
        assert all(map(one_part, texts))
    assert len(mail.taken) <= 2 * 3
    await office.pass_time(120)
    over = [text for text in sms.bodies if re.search(r"\d over", text)]
    assert len(over) == 2
    assert await hanging(journal, office.clock.now()) == []
    assert await journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL") == [(0,)]


async def test_after_hours_of_isolation_each_contact_gets_one_message(journal: Journal) -> None:
    office, sms, mail = office_of(journal, capped("noc", "ctu"))
    sms.down = mail.down = True
    for hour in range(8):
        office.clock.elapsed = hour * 3600.0
        await happen(office, [incident(hour * 25 + n, opened=at(hour * 60)) for n in range(25)])
        for _ in range(12):
            await office.pass_time(5)
    blind = ((at(-1), at(8 * 60)),)
    now = {"closed": at(400), "changed": at(400), "revision": 2, "closing": "answers again", "blind": blind}
    await happen(office, [replace(one, **now) for one in office.truths.values() if int(one.incident) % 2])  # type: ignore[arg-type] # fields of an alert
    tries = sms.tries
    sms.down = mail.down = False
    office.outbox.path_restored()
    await office.pass_time(1)
    assert len(sms.taken) == len(mail.taken) == 2
    assert tries < 2_000
    text = sms.bodies[0]
    assert text.startswith("200 incidents: 100 major, 100 over. You were not told because this site was cut off.")
    assert one_part(text)
    assert (
        "It was down 08:00 to 14:40 AST, now answers again; you were not told because this site was cut off."
        in (mail.bodies[0])
    )
    await office.pass_time(300)
    assert len(sms.taken) == 2
    assert await journal.read("SELECT count(DISTINCT incident), count(*) FROM notification WHERE state='accepted'") == [
        (200, 800)
    ]
    assert await journal.read("SELECT count(*) FROM attempt WHERE status = 'failed' AND parts = 0") <= [(800,)]


async def test_a_path_that_comes_back_by_itself_takes_everything_along(journal: Journal) -> None:
    """Nobody has said that it is back: the first try that gets through carries what still waits for its own."""
    office, sms, _ = office_of(journal, capped("noc"))
    sms.down = True
    for n in range(20):
        await happen(office, [incident(n)])
        await office.pass_time(1.3)
    sms.down = False
    await office.pass_time(0.6)
    assert [text.split(":")[0] for text in sms.bodies] == ["20 incidents"]


async def test_one_incident_is_told_as_ever_and_two_share_a_message(journal: Journal) -> None:
    office, sms, mail = office_of(journal, capped("noc"))
    await happen(office, [incident(1)])
    await office.pass_time(0)
    await happen(office, [incident(2), incident(3, severity=Severity.CRITICAL)])
    await office.pass_time(1)
    assert len(sms.taken) == 1
    await office.pass_time(0.6)
    assert sms.bodies == [
        "1 MAJOR: Router r1 down, Barbados, since 08:00 AST. Desk +1 868 555 0100",
        "2 incidents: 1 critical, 1 major. 3 Router r3 down 08:00 AST; 2 Router r2 down 08:00 AST. "
        "Desk +1 868 555 0100",
    ]
    assert [message.subject for message, _ in mail.taken] == [
        "[1] MAJOR: Router r1 down, Barbados",
        "[3] CRITICAL: Router r3 down, Barbados",  # of two mails each keeps its thread and its runbook
    ]


async def test_what_a_digest_names_can_be_answered_by_its_letters_and_in_a_mail_by_its_link(journal: Journal) -> None:
    office, sms, mail = office_of(journal, capped("noc"))
    sms.answers = mail.answers = True
    office.answer_url = "https://lambi.example"
    office.reborn()
    await happen(office, [incident(n) for n in range(40, 70)])
    await office.pass_time(0)
    drawn = dict(await journal.read("SELECT incident, letters FROM code"))
    named = re.findall(r"(\d+)-([A-Z]{2}) Router", sms.bodies[0])
    assert named
    assert all(drawn[number] == letters for number, letters in named)
    [letter] = mail.bodies
    assert "write in its first line the number and letters of one" in letter
    assert dict(re.findall(r"\[(\d+)-([A-Z]{2})\] MAJOR", letter)) == drawn
    tokens = re.findall(r"Acknowledge: https://lambi.example/answer/([0-9a-f]{32})", letter)
    async with journal.transaction() as tx:
        links = [await codes.follow(tx, token, office.clock.now()) for token in tokens]
    assert [link.incident for link in links if link] == [str(n) for n in range(40, 40 + digest.MOST_LINKS)]


async def test_a_night_without_a_path_leaves_no_links_behind(journal: Journal) -> None:
    office, _, mail = office_of(journal, capped("noc"))
    mail.down, office.answer_url = True, "https://lambi.example"
    office.reborn()
    await happen(office, [incident(n) for n in range(9)])
    for _ in range(30):
        await office.pass_time(2)
    [(links, tries)] = await journal.read("SELECT (SELECT count(*) FROM link), count(*) FROM attempt WHERE parts > 0")
    assert tries > 5
    assert links <= tries + 9


async def test_no_letters_are_drawn_for_what_a_short_message_cannot_name(journal: Journal) -> None:
    office, sms, _ = office_of(journal, capped("noc"))
    sms.answers = True
    await happen(office, [incident(n) for n in range(300)])
    await office.pass_time(0)
    assert await journal.read("SELECT count(*) FROM code") == [(digest.MOST_NAMED,)]
    assert one_part(sms.bodies[0])


async def test_whoever_was_told_in_a_digest_is_told_of_the_end(journal: Journal) -> None:
    office, sms, _ = office_of(journal, capped("noc"))
    await happen(office, [incident(n) for n in range(5)])
    await office.pass_time(0)
    await happen(office, [replace(closed(30), incident="3", what="Router r3 down")])
    await office.pass_time(5)
    assert sms.bodies[1].startswith("3 OVER: Router r3 down")
    assert "you were not told" not in sms.bodies[1]


async def test_a_digest_of_unknown_end_is_repeated_once_whole_with_its_reference_and_marked(tmp_path: Path) -> None:
    for n in range(1, 8):
        folder = tmp_path / str(n)
        folder.mkdir()
        journal = await MortalJournal.open(folder / "journal.sqlite", {"alerting": SCHEMA})
        office, sms, _ = office_of(journal, replace(directory(contact("noc", "sms")), caps={"sms": CAP}))
        journal.left, journal.before = n, bool(n % 2)
        try:
            await happen(office, [incident(each) for each in range(4)])
            await office.pass_time(1)
        except Exception:  # noqa: BLE001, S110 - it dies here, as it should
            pass
        await journal.close()
        journal = await MortalJournal.open(folder / "journal.sqlite", {"alerting": SCHEMA})
        office.journal = journal
        office.reborn()
        if not await journal.read("SELECT 1 FROM notification"):
            await happen(office, [incident(each) for each in range(4)])
        await happen(office, [incident(9)])
        await office.pass_time(3)
        await office.pass_time(3)
        assert await journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL") == [(0,)]
        texts = sms.bodies
        marked = [text for text in texts if "(repeat)" in text]
        unknown = await journal.read("SELECT count(*) FROM attempt WHERE status = 'unknown'")
        assert len(marked) == (1 if unknown[0][0] else 0)
        assert all(text.startswith("4 incidents (repeat): 4 major.") for text in marked)
        references = [message.reference for message, _ in sms.taken if message.body.startswith("4 inc")]
        assert len(set(references)) <= 1
        await journal.close()


async def test_credits_are_kept_for_what_is_graver(journal: Journal) -> None:
    shares = {Severity.INFO: 0.3, Severity.WARNING: 0.5, Severity.MAJOR: 0.8, Severity.CRITICAL: 1.0}
    who = replace(directory(contact("noc", "sms"), deadline=7200), budgets={"sms": Budget(10, shares)})
    office = Office(journal, who, {"sms": (sms := Provider())})
    for n, severity in enumerate([Severity.INFO] * 5 + [Severity.MAJOR] * 8 + [Severity.CRITICAL] * 3):
        await happen(office, [incident(n, severity=severity)])
        await office.pass_time(1)
    heads = [text.split(":")[0].split()[1] for text in sms.bodies]
    assert heads == ["INFO"] * 3 + ["MAJOR"] * 5 + ["CRITICAL"] * 2
    await office.pass_time(130)
    await office.pass_time(1)
    assert len(sms.taken) == 10
    [(why, count)] = await journal.read("SELECT DISTINCT why, count(*) FROM notification WHERE state = 'expired'")
    assert (why, count) == ("the deadline passed: the day's credits of sms are spent, or kept for what is graver", 6)


async def test_credits_come_back_as_the_day_goes_on(journal: Journal) -> None:
    who = replace(directory(contact("noc", "sms"), deadline=200_000), budgets={"sms": Budget(1)})
    office = Office(journal, who, {"sms": (sms := Provider())})
    await happen(office, [incident(1), incident(2)])
    for _ in range(25 * 6):
        await office.pass_time(10)
    assert len(sms.taken) == 2


def sent(*pairs: tuple[float, int], severity: Severity = Severity.MAJOR) -> list[Sent]:
    return [Sent(at(minutes), size, severity) for minutes, size in pairs]


@pytest.mark.parametrize(
    ("before", "severity", "minutes"),
    [
        ([], Severity.MAJOR, 10),
        (sent((9, 1)), Severity.MAJOR, 10.5),  # the gap
        (sent((5, 1)), Severity.MAJOR, 10),
        (sent((1, 1), (3, 1), (5, 1), (6, 1), (7, 1), (8, 1)), Severity.MAJOR, 61),  # six in an hour
        (sent((1, 1), (3, 1), (5, 1), (6, 1), (7, 1), (8, 1)), Severity.CRITICAL, 10),  # nothing critical told yet
        (sent((1, 1), (8, 2000)), Severity.MAJOR, 68),  # a storm
        (sent((1, 1), (8, 2000)), Severity.CRITICAL, 10),
        (sent((1, 1), (8, 2000), severity=Severity.CRITICAL), Severity.CRITICAL, 68),
    ],
)
def test_when_the_next_may_leave(before: list[Sent], severity: Severity, minutes: float) -> None:
    assert leaves(before, severity, CAP, at(10)) == at(minutes)


def test_affords() -> None:
    assert affords(Budget(10, {Severity.INFO: 0.5}), 4, Severity.INFO)
    assert not affords(Budget(10, {Severity.INFO: 0.5}), 5, Severity.INFO)
    assert affords(Budget(10, {Severity.INFO: 0.5}), 9, Severity.CRITICAL)


def occasion(alert: Alert, **fields: object) -> Occasion:
    return Occasion(alert, Reason.FIRST, contact("noc", "sms"), at(60), "Hub", "+1 868 555 0100", **fields)  # type: ignore[arg-type] # fields of an occasion


@pytest.mark.parametrize("count", [2, 3, 9, 200, 4_000])
def test_a_digest_fits_one_part_and_counts_what_it_does_not_name(count: int) -> None:
    alerts = [incident(n, opened=at(n % 50), what="Câble sous-marin d'Antilles-Guyane №7 coupé") for n in range(count)]
    alerts += [replace(closed(55), incident=f"x{n}") for n in range(count // 2)]
    text = digest.sms([occasion(alert) for alert in alerts])
    assert one_part(text)
    assert text.startswith(f"{len(alerts)} incidents: {count} major, {count // 2} over.")
    named = len(re.findall(r"AST(?:[;.]? |\.$)", text))
    more = re.search(r"\+(\d+) more", text)
    assert named + (int(more[1]) if more else 0) == len(alerts)
    subject, body = digest.mail([occasion(alert) for alert in alerts])
    assert "\n" not in subject
    assert body.count("\n[") == min(len(alerts), digest.MOST_TOLD)
    assert len(body) < 100_000


def test_hostile_words_in_a_digest_steer_nothing() -> None:
    bad = replace(OPEN, what="Cable\r\nBcc: x@y\x1b[31m", reason="\x00")
    subject, body = digest.mail([occasion(bad), occasion(OPEN)])
    assert "\r" not in subject + body
    assert "\x1b" not in body
    assert one_part(digest.sms([occasion(bad), occasion(OPEN)]))
    assert len(digest.sms([occasion(bad)] * 30)) <= ONE_PART
