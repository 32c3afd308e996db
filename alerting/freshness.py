"""Which addresses of contacts have been confirmed of late: a number changes hands, and nobody tells us.

Where answers come in, only an answer confirms: that to `lambi contact verify`, or one with the right letters, or the
link of a mail. A delivery receipt says that a number lives, not whose it is; it counts where no answer can come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.directory import Directory
from alerting.inbound import address
from alerting.journal import Journal, moment
from alerting.model import Channel

LASTS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a contact, by its channel; the address itself is not here."""

    contact: str
    agency: str
    channel: str
    confirmed: datetime | None
    by: str
    """answer, receipt, or "" where nothing can confirm it: nothing comes back on this channel."""

    def stale(self, now: datetime) -> bool:
        """Whether somebody should have it confirmed."""
        return bool(self.by) and (self.confirmed is None or now - self.confirmed > LASTS)


_RECEIPTS = """
SELECT n.contact, n.channel, max(r.at) FROM receipt r JOIN attempt a ON a.id = r.attempt
JOIN notification n ON n.id = a.notification WHERE r.fate = 'delivered' GROUP BY n.contact, n.channel"""


async def ways(journal: Journal, directory: Directory, channels: Mapping[str, Channel], *, links: bool) -> list[Way]:
    """Return every way that is on; ``links``: mails carry links by which they are answered."""
    proofs = await journal.read("SELECT contact, channel, address, confirmed_at FROM proof WHERE confirmed_at > 0")
    proved = {(contact, channel, to): at for contact, channel, to, at in proofs}
    silent = any(one.receipts and not one.answers for one in channels.values())
    received = {(contact, channel): at for contact, channel, at in await journal.read(_RECEIPTS)} if silent else {}
    found: list[Way] = []
    for contact in directory.contacts.values():
        for way in contact.addresses:
            channel = channels.get(way.channel)
            if not way.enabled or channel is None:
                continue
            by, at = "", None
            if channel.answers or (links and channel.form == "mail" and _mailbox(way.to)):
                by, at = "answer", proved.get((contact.name, way.channel, address(way.to)))
            elif channel.receipts:
                by, at = "receipt", received.get((contact.name, way.channel))
            found.append(Way(contact.name, contact.agency, way.channel, moment(at) if at else None, by))
    return found


def _mailbox(to: str) -> bool:
    """Whether it is a person's mail address: a webhook has the form of a mail too."""
    return "@" in to and "://" not in to
