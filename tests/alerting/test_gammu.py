"""A modem on site: the real gammu-smsd with its dummy modem."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.channels.gammu import Gammu
from alerting.feeds import Feeds
from alerting.inbound import Inbox
from alerting.model import Address, DeliveryError, Message
from alerting.runbooks import Runbooks
from tests.alerting.fakes import OPEN, Office, closed, contact, directory, open_journal
from tests.daemons import until

CONF = """
[gammu]
model = dummy
connection = none
device = {folder}/dummy

[smsd]
service = files
logfile = {folder}/log
debuglevel = 0
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
commtimeout = 1
loopsleep = 1
receivefrequency = 1
checksecurity = 0
"""
HANDSET = "+12465550100"
BOOKS = Runbooks.load(Path(__file__).parents[2] / "runbooks")
CAME = """[SMSBackup000]
PDU = Deliver
DateTime = 20260901T120000Z
State = UnRead
Number = "{number}"
NumberUnicode = {number16}
Text00 = {text16}
Coding = Unicode_No_Compression
Folder = 1
Length = {length}
Class = -1
"""


@pytest.fixture
def smsd(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    if shutil.which("gammu-smsd") is None:
        pytest.skip("gammu-smsd is not installed: make test-deps")
    for name in ("inbox", "outbox", "sent", "error", "dummy/sms/1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "smsdrc").write_text(CONF.format(folder=tmp_path))
    daemon = subprocess.Popen(["gammu-smsd", "-c", str(tmp_path / "smsdrc")])
    yield daemon
    daemon.send_signal(signal.SIGCONT)
    daemon.terminate()
    daemon.wait(10)


@pytest.fixture
def modem(smsd: subprocess.Popen[bytes], tmp_path: Path) -> Path:
    return tmp_path


def sent(folder: Path) -> list[str]:
    return [path.read_bytes().decode("utf-16") for path in sorted((folder / "sent").glob("OUT*"))]


def send_from_handset(folder: Path, text: str) -> None:
    number16, text16 = HANDSET.encode("utf-16-be").hex().upper(), text.encode("utf-16-be").hex().upper()
    message = CAME.format(number=HANDSET, number16=number16, text16=text16, length=len(text))
    (folder / "dummy" / "came").write_text(message)
    (folder / "dummy" / "came").rename(folder / "dummy" / "sms" / "1" / "1")  # smsd may look at any moment


async def test_out_by_the_modem_and_back(modem: Path, tmp_path: Path) -> None:
    channel = Gammu(str(modem))
    noc = replace(contact("noc"), addresses=(Address("modem", HANDSET),))
    journal = await open_journal(tmp_path)
    office = Office(journal, directory(noc), {"modem": channel}, runbooks=BOOKS)
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, BOOKS, site="Hub", draw=lambda _: 3)
    feeds = Feeds({"modem": channel}, inbox, office.outbox.say, office.clock)
    await office.happen(OPEN)
    await office.pass_time(0)
    await asyncio.to_thread(until, lambda: len(sent(modem)) == 1, "smsd sends it")
    [text] = sent(modem)
    assert " MAJOR: Cable ECFS down" in text
    await feeds.look(office.clock.now())
    assert await journal.read("SELECT fate FROM receipt") == [("buffered",)]
    assert sent(modem) == [], "what was said is not kept by the modem"

    await asyncio.to_thread(send_from_handset, modem, f"{text[:7]} sí")
    # The dummy modem reports a message twice; when smsd has deleted it there, it has written all that it will.
    await asyncio.to_thread(until, lambda: not (modem / "dummy" / "sms" / "1" / "1").exists(), "the answer comes in")
    assert list((modem / "inbox").glob("IN*"))
    await feeds.look(office.clock.now())
    assert await journal.read("SELECT what, via FROM response") == [("ack", "modem")]
    await asyncio.to_thread(until, lambda: len(sent(modem)) == 1, "the answer is answered")
    assert "acknowledgement is noted" in sent(modem)[0]
    await feeds.look(office.clock.now())
    assert list((modem / "inbox").glob("*")) == []

    await asyncio.to_thread(send_from_handset, modem, f"{text[:7]} n")
    await asyncio.to_thread(until, lambda: not (modem / "dummy" / "sms" / "1" / "1").exists(), "the answer comes in")
    await feeds.look(office.clock.now())
    await asyncio.to_thread(until, lambda: len(sent(modem)) == 1, "the next step leaves")
    book = BOOKS.match(OPEN)
    assert book is not None
    assert sent(modem) == [f"{text[:7]} 1: {book.steps[0]}"]
    await journal.close()


async def test_a_modem_that_hangs_sends_no_news_of_yesterday(
    smsd: subprocess.Popen[bytes], modem: Path, tmp_path: Path
) -> None:
    """What it has not taken in five minutes is taken back, and leaves when it lives again, as the truth of then."""
    channel, journal = Gammu(str(modem)), await open_journal(tmp_path)
    noc = replace(contact("noc"), addresses=(Address("modem", HANDSET),))
    office = Office(journal, directory(noc), {"modem": channel})
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)
    feeds = Feeds({"modem": channel}, inbox, office.outbox.say, office.clock)
    smsd.send_signal(signal.SIGSTOP)
    await office.happen(OPEN)
    await office.pass_time(0)
    for minutes, waits in ((0, 1), (4.9, 1), (0.2, 0)):
        office.clock.elapsed += 60 * minutes
        await feeds.look(office.clock.now())
        assert len(channel.waits()) == waits, minutes
    assert [row[3] for row in await office.states()] == ["planned"]
    assert await journal.read("SELECT status, error FROM attempt") == [
        ("failed", "the network could not deliver it: the modem takes nothing")
    ]
    await office.happen(closed(6))
    smsd.send_signal(signal.SIGCONT)
    await office.pass_time(5)
    await asyncio.to_thread(until, lambda: len(sent(modem)) == 1, "smsd sends it")
    assert " OVER: Cable ECFS down, Barbados, was down 08:00 to 08:06" in sent(modem)[0]
    await feeds.look(office.clock.now())
    assert [row[3] for row in await office.states()] == ["accepted"]
    await journal.close()


async def test_letters_of_every_language_leave_by_the_modem(modem: Path) -> None:
    text = "Câble Curaçao–São Tomé coupé, mañana; Кабель è ò ü"
    await Gammu(str(modem)).send(Message("1.1", "4711", "", text), Address("modem", HANDSET))
    await asyncio.to_thread(until, lambda: len(sent(modem)) == 1, "smsd sends it")
    assert sent(modem) == [text]


async def test_what_the_modem_could_not_send_comes_back(tmp_path: Path) -> None:
    """A file in smsd's folder of errors, as it stands after its last try."""
    for name in ("inbox", "outbox", "sent", "error"):
        (tmp_path / name).mkdir()
    channel = Gammu(str(tmp_path))
    journal = await open_journal(tmp_path)
    office = Office(
        journal, directory(replace(contact("noc"), addresses=(Address("modem", HANDSET),))), {"modem": channel}
    )
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)
    await office.happen(OPEN)
    await office.pass_time(0)
    [path] = (tmp_path / "outbox").glob("*")
    path.rename(tmp_path / "error" / path.name)
    await Feeds({"modem": channel}, inbox, office.outbox.say, office.clock).look(office.clock.now())
    assert [row[3] for row in await office.states()] == ["planned"]
    await office.pass_time(10)
    assert len(list((tmp_path / "outbox").glob("*"))) == 1
    await journal.close()


async def test_a_modem_that_is_not_there_is_temporary(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="outbox cannot be written: No such file") as caught:
        await Gammu(str(tmp_path / "nowhere")).send(Message("1.1", "4711", "", "x"), Address("modem", HANDSET))
    assert not caught.value.permanent
