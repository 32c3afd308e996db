"""What the outbox asks of the journal costs the same after years: no statement reads a table from end to end."""

import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from alerting.directory import Cap, Ladder, Step
from alerting.inbound import Inbox
from alerting.model import DeliveryError, Fate, Receipt, Reply, UnansweredError
from alerting.runbooks import Runbooks
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory, open_journal

OPEN_ONES = "drill_open|notification_(due|open|waiting)|attempt_open|turn_open|escalation_due"
FINE = re.compile(
    rf"SCAN (json_each|said|ours|cut|contact|duty|silence|CONSTANT ROW|\(subquery|.*INDEX ({OPEN_ONES})\b)"
)
"""Lists of ours, tables of a few rows, and indexes that hold nothing but what has not ended."""


async def statements(folder: Path) -> list[str]:
    """Live through a day with everything in it; return what the journal was told, once each."""
    said: list[str] = []
    journal = await open_journal(folder)
    journal._writing.set_trace_callback(said.append)
    sms, mail = Provider(answers=[DeliveryError("busy"), UnansweredError("left us")]), Provider("mail")
    sms.receipts = sms.answers = mail.answers = True
    who = replace(
        directory(contact("noc", "sms", "mail", next_after=300), contact("ctu", "sms"), repeat=3600),
        caps={"sms": Cap(gap=60, most=6, storm=10)},
        ladders={"first": Ladder("first", "agency of noc", (Step(("noc",), 600), Step(("ctu",), 600)))},
    )
    who = replace(who, routes=(replace(who.routes[0], ladders=("first",), group_by=("kind",)),))
    office = Office(journal, who, {"sms": sms, "mail": mail}, answer_url="https://lambi.example")
    drawn = itertools.count()
    office.outbox._desk = replace(office.outbox._desk, draw=lambda most: next(drawn) % most)  # nobody's letters are ZZ
    inbox = Inbox(journal, lambda: who, office.truths.get, Runbooks({}), site="Hub", draw=lambda below: 7 % below)
    for n in range(3):
        await office.happen(replace(OPEN, incident=str(n)))
    await office.pass_time(0)  # what an outbox does at its start alone may read everything
    said.clear()
    for minutes in (0.1, 1, 5, 20, 60):
        await office.pass_time(minutes)
        now = office.clock.now()
        for message, address in (*sms.taken, *mail.taken):
            await inbox.receive(Receipt(message.reference, Fate.FAILED, now), now)
            await inbox.hear(Reply("sms", address.to, "0-ZZ A", now, message.reference), now)
    await office.happen(replace(closed(90), incident="1"))
    await office.pass_time(30)
    await journal.close()
    return [one for one in dict.fromkeys(said) if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", one)]


def plans(folder: Path, asked: list[str]) -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        for one in asked:
            yield from ((one, row[3]) for row in journal.execute(f"EXPLAIN QUERY PLAN {one}"))


async def test_nothing_reads_a_growing_table_from_end_to_end(tmp_path: Path) -> None:
    asked = await statements(tmp_path)
    assert len(asked) > 100
    scans = {(" ".join(one.split())[:300], how) for one, how in plans(tmp_path, asked) if how.startswith("SCAN ")}
    slow = {(one, how) for one, how in scans if not FINE.match(how)}
    assert not slow, "\n".join(f"{how}: {one}" for one, how in sorted(slow))
