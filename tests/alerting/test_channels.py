"""The channels against real daemons: what is taken, refused, unanswered; nothing secret in an error."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerting.channels import CHANNELS
from alerting.channels.kannel import Kannel
from alerting.channels.smtp import Smtp
from alerting.model import Address, DeliveryError, Message, RefusedError, Severity, UnansweredError, UnreachableError
from tests.alerting.fakes import OPEN, Office, closed, contact, directory, open_journal
from tests.daemons import KannelBox, SmtpSink, hung_server, kannel, smtp_sink, until
from tests.ports import own_port

MAIL = Message(
    "17.65a",
    "4711",
    "[4711] MAJOR: Curaçao",
    "Línea 1\n.dot\n" + "x" * 2000 + "\n",
    Severity.MAJOR,
    "4711.65a",
    datetime(2026, 9, 1, 12, 5, tzinfo=UTC),
)
TO = Address("mail", "noc@operator.example")
HANDSET = Address("sms", "+12465550100")


def smtp(sink: SmtpSink, **fields: object) -> Smtp:
    base = Smtp("127.0.0.1", "lambi@watch.example", sink.port, "none", connect_seconds=60)
    return replace(base, **fields)  # type: ignore[arg-type] # the fields' names are checked by replace


async def failure(channel: Smtp | Kannel, message: Message = MAIL, address: Address = TO) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(message, address)
    assert "secret" not in str(caught.value)
    assert address.to not in str(caught.value)
    return caught.value


async def test_a_mail_arrives_whole_and_threaded() -> None:
    with smtp_sink() as sink:
        accepted = await smtp(sink).send(MAIL, TO)
        [mail] = sink.received()
    assert accepted.provider_id == "<lambi.17.65a@watch.example>"
    assert accepted.detail == "250 OK"
    assert (mail.sender, mail.to) == ("lambi@watch.example", ("noc@operator.example",))
    assert mail.message["Subject"] == "[4711] MAJOR: Curaçao"
    assert mail.message["Message-ID"] == "<lambi.17.65a@watch.example>"
    assert mail.message["References"] == mail.message["In-Reply-To"] == "<lambi.incident.4711.65a@watch.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Date"] == "Tue, 01 Sep 2026 12:05:00 +0000"
    assert mail.text.replace("\r\n", "\n") == MAIL.body
    assert mail.raw.isascii()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd does not see implicit TLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_with_a_login(security: str) -> None:
    with smtp_sink(security, ("lambi", "mail-secret")) as sink:
        good = smtp(sink, security=security, ca_file=sink.ca_file, username="lambi", password="mail-secret")
        await good.send(MAIL, TO)
        assert len(sink.received()) == 1
        bad = await failure(replace(good, password="other-secret"))
        assert (str(bad), bad.permanent) == ("the mail server refuses our login: 535", False)
        untrusted = await failure(replace(good, ca_file=""))
        assert str(untrusted).startswith("cannot connect to the mail server: ")
        assert not untrusted.permanent
    assert "mail-secret" not in repr(good)


@pytest.mark.parametrize(
    ("rcpt", "data", "kind", "permanent"),
    [
        ("450 4.2.0 greylisted", "", DeliveryError, False),
        ("550 5.1.1 no such user", "", DeliveryError, True),
        ("554 5.7.1 relaying denied", "", RefusedError, False),
        ("552 5.2.2 mailbox full", "", RefusedError, False),
        ("", "451 4.3.0 try later", DeliveryError, False),
        ("", "550 5.7.1 not wanted", RefusedError, False),
    ],
)
async def test_4xx_is_temporary_and_5xx_permanent_or_for_somebody_to_mend(
    rcpt: str, data: str, kind: type[DeliveryError], permanent: bool
) -> None:
    with smtp_sink() as sink:
        sink.rcpt_answer, sink.data_answer = rcpt or sink.rcpt_answer, data or sink.data_answer
        error = await failure(smtp(sink))
    assert str(error) == f"the mail server answered {rcpt or data}"
    assert (type(error), error.permanent) == (kind, permanent)


async def test_a_mail_server_that_is_not_there_or_silent_is_temporary() -> None:
    port = own_port()
    gone = await failure(Smtp("127.0.0.1", "lambi@watch.example", port, "none"))
    assert str(gone).startswith("cannot connect to the mail server: ")
    async with hung_server() as port:
        silent = await failure(Smtp("127.0.0.1", "lambi@watch.example", port, "none", connect_seconds=0.05))
    assert (gone.permanent, silent.permanent) == (False, False)
    assert not isinstance(silent, UnansweredError)


async def test_a_mail_server_that_leaves_after_data_may_have_taken_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        for answer in (b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            await reader.readline()
            writer.write(answer)
        await reader.readuntil(b"\r\n.\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(Smtp("127.0.0.1", "lambi@watch.example", port, "none"))
    assert isinstance(error, UnansweredError)


async def test_a_header_never_carries_a_line_break() -> None:
    with smtp_sink() as sink, pytest.raises(ValueError, match="linefeed or carriage return"):
        await smtp(sink).send(replace(MAIL, subject="x\r\nBcc: all@operator.example"), TO)
    assert sink.received() == []


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KannelBox]:
    with kannel(tmp_path_factory.mktemp("kannel")) as running:
        yield running


def sms(box: KannelBox, **fields: object) -> Kannel:
    base = Kannel(box.url, box.username, box.password, box.sender, connect_seconds=60)
    return replace(base, **fields)  # type: ignore[arg-type] # the fields' names are checked by replace


@pytest.mark.parametrize(
    ("text", "kind"),
    [('4711 MAJOR: ñ é @ £ [€] _ "quoted" & + %', "text"), ("4712 ê ç 中 😀", "ucs-2")],
)
async def test_an_sms_arrives_with_its_letters(gateway: KannelBox, text: str, kind: str) -> None:
    accepted = await sms(gateway).send(Message("1", "4711", "", text), HANDSET)
    assert accepted.detail == "0: Accepted for delivery"
    await asyncio.to_thread(until, lambda: any(got.text == text for got in gateway.received()), "the SMS arrives")
    [got] = [got for got in gateway.received() if got.text == text]
    assert (got.sender, got.to, got.kind) == (gateway.sender, HANDSET.to, kind)


@pytest.mark.parametrize(
    ("callback", "reference", "kept"), [("", "1.1", None), ("http://127.0.0.1:2", "1.1", "60"), ("", "", "60")]
)
def test_a_gateway_keeps_for_an_hour_what_is_known_when_it_has_been_given_up(
    callback: str, reference: str, kept: str | None
) -> None:
    channel = Kannel("http://127.0.0.1:1/", "u", "p", callback=callback, secret="a-secret-of-the-gateway")
    assert channel._params(Message(reference, "4711", "", "x"), HANDSET).get("validity") == kept


async def test_what_kannel_refuses(gateway: KannelBox) -> None:
    text = Message("1", "4711", "", "x")
    login = await failure(sms(gateway, password="other-secret"), text, HANDSET)
    assert (str(login), login.permanent) == ("the SMS gateway refuses our login", False)
    number = await failure(sms(gateway), text, Address("sms", "nonsense"))
    assert str(number).startswith("the SMS gateway answered 400 ")
    assert number.permanent
    path = await failure(sms(gateway, url=gateway.url + "-not"), text, HANDSET)
    assert not path.permanent
    assert "kannel-secret" not in repr(sms(gateway))


async def test_a_gateway_that_is_not_there_or_leaves() -> None:
    port = own_port()
    channel = Kannel(f"http://127.0.0.1:{port}/cgi-bin/sendsms", "lambi", "kannel-secret")
    gone = await failure(channel, MAIL, HANDSET)
    assert str(gone) == "cannot connect to the SMS gateway"
    assert not isinstance(gone, UnansweredError)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        left = await failure(replace(channel, url=f"http://127.0.0.1:{port}/"), MAIL, HANDSET)
    assert isinstance(left, UnansweredError)


@pytest.mark.parametrize(
    ("host", "unreached"),
    [
        ("255.255.255.255", True),  # "network is unreachable": the kernel lets no connection out to it
        ("127.0.0.1", False),  # refused: somebody was reached
        ("localhost", False),  # refused by each of its addresses
    ],
)
async def test_only_who_reaches_nobody_fails_for_want_of_a_path(host: str, unreached: bool) -> None:
    port = own_port()
    mail = await failure(Smtp(host, "lambi@watch.example", port, "none"))
    text = await failure(Kannel(f"http://{host}:{port}/", "lambi", "kannel-secret"), MAIL, HANDSET)
    assert (isinstance(mail, UnreachableError), isinstance(text, UnreachableError)) == (unreached, unreached)


async def test_a_server_that_is_silent_or_not_trusted() -> None:
    async with hung_server() as port:
        silent = await failure(Smtp("127.0.0.1", "lambi@watch.example", port, "none", connect_seconds=0.05))
        hasty = await failure(Smtp("127.0.0.1", "lambi@watch.example", port, "tls", connect_seconds=0.05))
    with smtp_sink("tls") as sink:
        untrusted = await failure(smtp(sink, security="tls"))
    assert isinstance(silent, UnreachableError)
    assert isinstance(hasty, UnreachableError)
    assert not isinstance(untrusted, UnreachableError)


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        ("smtp", {"host": "h", "sender": "nobody"}, "sender: expected a mail address"),
        ("smtp", {"host": "h", "sender": "a@b", "port": 0}, "port: expected a number"),
        ("kannel", {"url": "ftp://x", "username": "u", "password": "p"}, "url: expected the gateway's sendsms"),
    ],
)
def test_settings_that_cannot_work_are_refused(kind: str, settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CHANNELS[kind](**settings)  # type: ignore[arg-type] # what a config file may hold


async def test_the_whole_way_to_mailbox_and_handset(gateway: KannelBox, tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    noc = replace(contact("noc"), addresses=(TO, HANDSET))
    with smtp_sink() as sink:
        office = Office(journal, directory(noc), {"mail": smtp(sink), "sms": sms(gateway)})
        before = len(gateway.received())
        await office.happen(OPEN)
        await office.pass_time(0)
        await office.happen(closed(1))
        await office.pass_time(1)
        await asyncio.to_thread(until, lambda: len(gateway.received()) == before + 2, "both SMS arrive")
        assert [mail.message["Subject"].split(":")[0] for mail in sink.received()] == ["[4711] MAJOR", "[4711] OVER"]
        assert [got.text[:11] for got in gateway.received()[before:]] == ["4711 MAJOR:", "4711 OVER: "]
    assert {state for *_, state, _ in await office.states()} == {"accepted"}
    await journal.close()
