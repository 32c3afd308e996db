"""What there is to say, to whom, why, and how it ended."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class DeliveryError(Exception):
    """A try to deliver failed. ``permanent`` says that the same try cannot succeed later."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class UnansweredError(DeliveryError):
    """The end of a try is not known: the provider may have the message."""


class UnreachableError(DeliveryError):
    """A try failed for want of a path: no name, no route, no answer to the connection."""


class RefusedError(DeliveryError):
    """Who receives refuses it, which somebody may mend: it is tried again, ever more rarely."""


class Severity(StrEnum):
    """How much it matters; ordered by `rank`."""

    INFO = "info"
    WARNING = "warning"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (info) to 3 (critical)."""
        return list(Severity).index(self)


class Reason(StrEnum):
    """Why somebody is told, or is not."""

    FIRST = "first"
    WORSE = "worse"
    REPEAT = "repeat"
    RESOLVED = "resolved"
    ESCALATE = "escalate"
    HANDOVER = "handover"
    TEST = "test"
    NOTHING_NEW = "nothing new"
    NEVER_TOLD = "never told, nothing to take back"

    @property
    def speaks(self) -> bool:
        """Whether this reason leads to a message."""
        return self not in {Reason.NOTHING_NEW, Reason.NEVER_TOLD}


@dataclass(frozen=True, slots=True)
class Alert:
    """The truth about one incident at one moment, in plain facts; text is made from it when it leaves."""

    incident: str
    """Short id, as people say it: "4711"."""
    severity: Severity
    kind: str
    """Asset kind: cable, cctld, nameserver, vantage ..."""
    asset: str
    what: str
    """What, in few words: "Cable ECFS down"."""
    territory: str
    """ISO 3166-1 alpha-2, or "" for the whole region."""
    where: str
    """The territory's name."""
    opened: datetime
    closed: datetime | None
    changed: datetime
    """When this revision became true."""
    revision: int
    reason: str
    """The evidence in one sentence."""
    effects: tuple[str, ...] = ()
    """What follows from it, one sentence each: what is unreachable behind it, what redundancy is left."""
    closing: str = ""
    """Why it was closed: "answers again", "no longer watched"."""
    held: bool = False
    """All is well again, and the incident waits a while before it is said to be over."""
    part_of: str = ""
    """The incident that turned out to be its cause: of this one nothing more is told but its end."""
    event: str = ""
    """What has the same one began together: whoever is told of several at once is told in one message."""
    blind: tuple[tuple[datetime, datetime | None], ...] = ()
    """When this site was cut off from the world since the incident opened."""
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    note: str = ""
    """A standing caveat, such as a clock that is not synchronised."""
    name: str = ""
    """The asset's own name, which no language changes."""
    exercise: tuple[str, ...] = ()
    """Of an exercise, the contacts on its list: nobody else is told of it. Empty: it is real."""
    late: str = ""
    """Why nobody could be told before its end, where it is no message of ours that did not leave."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One way to reach a contact: the name of a configured channel and the address on it."""

    channel: str
    to: str
    enabled: bool = True

    def __repr__(self) -> str:
        """Name the channel only: an address is a personal datum."""
        return f"Address({self.channel})"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody of the coalition who may be told."""

    name: str
    """The config's identity, a slug; the only thing about a person that append-only rows hold."""
    agency: str
    language: str = "en"
    zone: str = "UTC"
    """IANA time zone in which this contact reads times."""
    addresses: tuple[Address, ...] = ()
    next_after: float = 0.0
    """Seconds until the next address is tried, in their order, for want of a receipt or an answer; 0: all at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a contact was last told, or is about to be told, of one incident on one channel."""

    at: datetime
    severity: Severity
    closed: bool
    revision: int


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media: str
    """Its type, such as application/pdf (RFC 2046)."""
    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A rendered text, made when it leaves."""

    reference: str
    """The attempt's idempotency key, the same when it is repeated after a crash."""
    incident: str
    subject: str
    body: str
    """An SMS uses the body alone."""
    severity: Severity = Severity.INFO
    thread: str = ""
    """Groups the mails of one incident (In-Reply-To, References)."""
    at: datetime | None = None
    """When it leaves."""
    alert: Alert | None = None
    """The facts that the text was made from, for whoever reads by machine."""
    others: tuple[Alert, ...] = ()
    """The same of what began with it, where a message tells of that too."""
    attachments: tuple[Attachment, ...] = ()
    """What a mail carries besides its text."""

    def __repr__(self) -> str:
        """Name the reference only."""
        return f"Message({self.reference})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message; that is not delivery."""

    provider_id: str
    detail: str = ""


class Fate(StrEnum):
    """What a provider may later say of a message."""

    BUFFERED = "buffered"
    """The network has it and keeps trying."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It gave up; nobody has it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider later says of one message."""

    reference: str
    """The message's own: `Message.reference`."""
    fate: Fate
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What a person sent back."""

    channel: str
    sender: str
    text: str
    at: datetime
    provider_id: str

    def __repr__(self) -> str:
        """Name the channel only."""
        return f"Reply({self.channel})"


class Act(StrEnum):
    """What a person may answer."""

    ACK = "ack"
    NEXT = "next"
    DONE = "done"
    WAIT = "wait"
    REPEAT = "repeat"
    HELP = "help"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Response:
    """What a person answered, after it was authenticated: the code was this contact's, or the link, or the operator."""

    incident: str
    contact: str
    """Slug of the contact whose code or link it was."""
    agency: str
    what: Act
    step: int | None
    """Of the runbook, with DONE."""
    minutes: int | None
    """With WAIT."""
    at: datetime
    via: str
    """The channel by which it came, "link", "cli" or "api"."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What others read of an answer: no person's name."""

    at: datetime
    agency: str
    what: Act
    step: int | None = None


class Channel(Protocol):
    """One provider. ``form`` says which text it carries: "sms" or "mail"."""

    @property
    def form(self) -> str:
        """Return "sms" or "mail"."""
        ...

    @property
    def receipts(self) -> bool:
        """Whether it says later what became of a message."""
        ...

    @property
    def answers(self) -> bool:
        """Whether what people answer to its messages comes in."""
        ...

    async def send(self, message: Message, address: Address) -> Accepted:
        """Hand over once; the outbox owns deadline, retry and pacing.

        Raises DeliveryError: UnreachableError for want of a path, UnansweredError once it may have been taken.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class Inbound(Protocol):
    """Where receipts and replies come in."""

    async def run(self, deliver: Callable[[Receipt | Reply], Awaitable[None]]) -> None:
        """Run until cancelled."""
        ...
