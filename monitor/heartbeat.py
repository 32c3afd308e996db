"""The dead man's switch: how Lambis prove to each other that they are alive, and when one may say so. Pure.

A heartbeat answers a challenge of whoever hears it: the challenge holds once and for a moment, so that nothing can be
replayed and no two clocks have to agree. What is signed names both ends: nothing can be sent back to its sender.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

from probes.model import Outcome, Part

CHALLENGE, SIGNATURE = "Lambi-Challenge", "Lambi-Signature"
"""Headers of a heartbeat between Lambis."""
LOOK_SECONDS = 5.0
"""How often it is asked whether a peer is silent."""
CHALLENGE_SECONDS = 30.0
"""A challenge holds so long at least, and twice as long at most."""
QUIET_SECONDS = 60.0
"""So long may the line see nothing, and the journal hold nothing new: the line commits every ten seconds."""
OUTBOX_SECONDS = 180.0
"""So long may the outbox not turn: it looks every minute, and one try lasts half a minute at most."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The question that no packet asks: has the peer's heartbeat come within ``grace`` seconds?"""

    kind: ClassVar[str] = "heartbeat"
    columns: ClassVar[Mapping[str, float | None]] = {"silent_seconds": 0.1}
    grace: float


@dataclass(frozen=True, slots=True)
class Peer:
    """Another Lambi: we hear its heartbeat, and where it has an address it hears ours."""

    id: str
    secret: str = field(repr=False)
    """Shared with it alone."""
    url: str = ""
    """Its operators' door; "": it is only heard."""

    @property
    def check(self) -> str:
        """The check that says whether it is silent."""
        return f"peer:{self.id}/{Heartbeat.kind}"


@dataclass(frozen=True, slots=True)
class Watcher:
    """A service that raises the alarm when our heartbeat stays away."""

    id: str
    url: str = field(repr=False)
    """Whoever knows it can speak for us."""
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Beats:
    """Whom we tell that we are alive, how often, and whom we hear."""

    name: str = ""
    """What peers call this site."""
    every: float = 60.0
    timeout: float = 10.0
    watchers: tuple[Watcher, ...] = ()
    peers: tuple[Peer, ...] = ()


class Vitals(NamedTuple):
    """When the daemon last did what it is there for, monotonic seconds; None: not yet."""

    looked: float | None
    """A batch of looks went through the whole line."""
    written: float | None
    """The line's turn was in the journal."""
    turned: float | None
    """The outbox had done what was due."""


def unwell(vitals: Vitals, fastest: float, at: float) -> str:
    """Say why this daemon must not claim to be alive, or "". ``fastest``: cadence of its fastest check, seconds."""
    allowed = (max(QUIET_SECONDS, 3 * fastest), QUIET_SECONDS, OUTBOX_SECONDS)
    named = (
        "no look has gone through the line",
        "nothing has been written to the journal",
        "the outbox has not turned",
    )
    for what, seconds, last in zip(named, allowed, vitals, strict=True):
        if last is None:
            return f"{what} yet"
        if at - last > seconds:
            return f"{what} for {at - last:.0f} s"
    return ""


def stuck(vitals: Vitals, fastest: float, at: float, began: float, *, waits: bool) -> str:
    """Say why this daemon should be started anew, or "": it stands still, and it is not the disk that it waits for.

    ``began``: since when it had time to do anything; ``waits``: the line waits for the journal.
    """
    if waits:
        return ""
    looked, _, turned = (began if last is None else max(last, began) for last in vitals)
    return unwell(Vitals(looked, at, turned), fastest, at)


@dataclass(frozen=True, slots=True)
class Ear:
    """What was heard of one peer. Times are monotonic seconds."""

    since: float
    """From then on its silence counts: our start, or the moment our own link was back."""
    family: int
    """Over which its heartbeats come."""
    heard: float | None = None


def heard(ear: Ear, family: int, at: float) -> Ear:
    """Return the ear after a heartbeat; ``family`` 0 when nobody can say over which it came."""
    return replace(ear, heard=at, family=family or ear.family)


def listen(ear: Ear, grace: float, at: float, *, sees: bool) -> tuple[Ear, Part]:
    """Say whether the peer is silent; while our own link is cut nothing is known, and its time begins anew after it."""
    if not sees:
        reason = f"cannot be known: this vantage does not see the world over IPv{ear.family}"
        return replace(ear, since=at), Part(Outcome.UNKNOWN, reason)
    last = ear.heard if ear.heard is not None and ear.heard >= ear.since else None
    silent = at - (ear.since if last is None else last)
    if silent > grace:
        begun = "" if ear.heard is not None else " and never before, since this daemon began"
        return ear, Part(Outcome.FAILED, f"no heartbeat for {silent:.0f} s{begun}; {grace:g} s are allowed")
    if last is None:
        return ear, Part(Outcome.UNKNOWN, f"no heartbeat yet; {grace:g} s are allowed")
    return ear, Part(Outcome.OK, values={"silent_seconds": silent})


def sign(secret: str, sender: str, hearer: str, challenge: str) -> str:
    """Return the signature of a heartbeat: HMAC-SHA256 of both names and the challenge, in hex."""
    said = f"lambi heartbeat 1\n{sender}\n{hearer}\n{challenge}"
    return hmac.new(secret.encode(), said.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


class Gatekeeper:
    """Gives challenges and takes the heartbeats that answer them. It keeps one number for each peer, no more."""

    def __init__(self, beats: Beats, key: bytes) -> None:
        """``key``: random, of this process alone."""
        self._name, self._key = beats.name, key
        self._peers = {peer.id: peer for peer in beats.peers}
        self._taken: Counter[str] = Counter()

    def challenge(self, peer: str, at: float) -> str:
        """Return what a heartbeat has to answer now; a name that nobody knows is given one too, and learns nothing."""
        return self._challenge(peer, int(at // CHALLENGE_SECONDS))

    def _challenge(self, peer: str, window: int) -> str:
        taken = self._taken[peer] if peer in self._peers else 0
        said = f"{window}\n{taken}\n{peer}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()[:32]

    def take(self, peer: str, hearer: str, challenge: str, signature: str, at: float) -> Peer | None:
        """Return the peer if this is its heartbeat, meant for us, answering a challenge of now for the first time."""
        window = int(at // CHALLENGE_SECONDS)
        now, before = (_same(challenge, self._challenge(peer, one)) for one in (window, window - 1))
        known = self._peers.get(peer)
        signed = _same(signature, sign(known.secret if known else "", peer, hearer, challenge))
        if not (known and (now or before) and signed and hearer == self._name):
            return None
        self._taken[peer] += 1
        return known


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), known.encode())
