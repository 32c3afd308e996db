"""The demo's mailbox: what people would be sent goes into it, and a page of its own shows it. Nothing leaves."""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import jinja2
from aiohttp import web

from alerting.directory import Directory, Route
from alerting.model import Accepted, Address, Contact, Message, Severity
from monitor.config.settings import Settings
from monitor.web.page import HERE, Pages
from monitor.web.shield import headers

MOST = 200
"""Messages that are kept."""
DEADLINE = 3600.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as somebody would have got it."""

    number: int
    at: datetime
    form: str
    to: str
    subject: str
    body: str
    severity: Severity


class Mailbox:
    """What was sent, the newest first."""

    def __init__(self) -> None:
        self.letters: deque[Letter] = deque(maxlen=MOST)
        self._count = 0

    def keep(self, at: datetime, form: str, to: str, message: Message) -> None:
        """Take one in."""
        self._count += 1
        letter = Letter(self._count, at, form, to, message.subject, message.body, message.severity)
        self.letters.appendleft(letter)

    def page(self, base: str) -> web.Application:
        """Return the application that shows it; ``base``: the address of the daemon's own page."""
        pages = Pages(base)
        places = jinja2.FileSystemLoader(HERE / "templates")
        known = jinja2.Environment(loader=places, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
        template, safe = known.get_template("mailbox.html"), headers(pages.style)

        async def show(request: web.Request) -> web.Response:
            number = request.match_info.get("number")
            found = [one for one in self.letters if number is None or one.number == int(number)]
            if number and not found:
                raise web.HTTPNotFound(text="There is no such message here.")
            text = template.render(style=pages.style, base=base, letters=found, whole=number is not None)
            return web.Response(text=text, content_type="text/html", headers={**safe, "Cache-Control": "no-store"})

        app = web.Application(client_max_size=0)
        app.router.add_get("/", show)
        app.router.add_get(r"/{number:\d{1,9}}", show)
        return app


class Slot:
    """A channel into the mailbox, of one form."""

    receipts: ClassVar[bool] = False
    answers: ClassVar[bool] = False
    host: ClassVar[str] = "127.0.0.1"
    """It stands on this side of the own link."""

    def __init__(self, box: Mailbox, form: str) -> None:
        self._box, self.form = box, form

    async def send(self, message: Message, address: Address) -> Accepted:
        """Keep it."""
        if message.at is not None:
            self._box.keep(message.at, self.form, address.to, message)
        return Accepted(message.reference, "kept in the demo's mailbox")

    async def close(self) -> None:
        """Nothing is held."""


def with_mailbox(settings: Settings, box: Mailbox) -> Settings:
    """Return settings by which two made-up people are told, an English and a Spanish one, into the mailbox."""
    forms = ("sms", "mail")
    desk = Contact("desk", "Duty desk", "en", "America/Dominica", (Address("sms", "+1 767 555 0100"),))
    office = Contact(
        "office", "Oficina de desastres", "es", "America/Dominica", (Address("mail", "office@example.org"),)
    )
    directory = Directory(
        {"desk": desk, "office": office},
        (Route("all", ("desk", "office"), at_least=Severity.WARNING),),
        "+1 767 555 0199",
        dict.fromkeys(Severity, DEADLINE),
    )
    return replace(settings, channels={form: Slot(box, form) for form in forms}, directory=directory)
