"""Daemons that are killed once, around one commit, and started again on what they left."""

from abc import ABC, abstractmethod
from collections import Counter

from tests.lab.archipelago import Archipelago
from tests.lab.lambi import Lambi

DYING = ("-m", "tests.lab.dying")
WAYS = ("lab-mail", "lab-sms")
Point = tuple[str, str, str]
"""The vantage, "before" or "after", and the commit: a milestone or a number."""


class Victim(Lambi, ABC):
    """It may be spared: a story can have fewer commits than the number of its point."""

    asset: str
    """Whose incident it is to open."""

    def __init__(self, lab: Archipelago, number: int, point: Point) -> None:
        super().__init__(lab, point[0], "-".join(("victim", *point)), number)
        self.reborn = self.spared = False
        self.silence = ""
        """Why it gave no answer when it last gave none."""
        self.in_flight: Counter[str] = Counter()
        """Channels of the attempts whose end nobody knew when it died."""
        self._armed = self.config / "armed"
        self.start(DYING, *point[1:])

    def arm(self) -> None:
        """From now on it may die."""
        self._armed.touch()

    def tend(self) -> None:
        """Start it again if it has been killed."""
        if not self.reborn and self.killed():
            flying = self.read("SELECT channel FROM attempt WHERE status = 'intent'")
            self.in_flight.update(channel for (channel,) in flying)
            self.start()
            self.reborn = True

    def decided(self) -> bool:
        """Let it live if it has not died so far; return whether it has gone through what it had to."""
        if not (self.reborn or self.spared):
            try:
                self._armed.unlink()
            except FileNotFoundError:
                return False  # it is dying just now
            self.spared = True
        return True

    def said(self) -> dict[str, list[str]]:
        """Return what has reached its contact, by channel."""
        subjects = [str(mail.message["Subject"]) for mail in self.mails()]
        return dict(zip(WAYS, (subjects, [sms.text for sms in self.texts()]), strict=True))

    def quiet(self) -> bool:
        """Whether whatever was to be said has been answered for."""
        return self.read("SELECT count(*) FROM notification WHERE ended_at IS NULL") == [(0,)]

    @abstractmethod
    def broken(self) -> bool:
        """Whether what is to happen of a cut has happened."""

    def over(self) -> bool:
        """Whether it knows that all is well, its contact has everything that was to be said, and it may be judged."""
        told = all(any(" OVER" in text for text in texts) for texts in self.said().values())
        closed = [one["open"] for one in self.incidents()] == [False]
        return told and closed and self.quiet() and self.decided()

    def check(self) -> None:
        """One incident with one id; first news and the end, each at most once, again only if in flight, and marked."""
        (incident,) = self.incidents()
        assert (incident["id"], incident["asset"], incident["open"]) == ("1", self.asset, False)
        for way, texts in self.said().items():
            plain = [text for text in texts if "(repeat)" not in text]
            ends = [text for text in plain if " OVER" in text]
            assert len(texts) - len(plain) <= self.in_flight[way] <= 1
            assert len(ends) <= 1
            assert len(plain) - len(ends) <= 1
            assert " OVER" in texts[-1]

    def story(self) -> str:
        """Tell everything that explains a failure."""
        life = "reborn" if self.reborn else "spared" if self.spared else "not dead yet"
        facts = [f"{self.name}: {life}, in flight at its death: {dict(self.in_flight)}; last silence: {self.silence}"]
        facts += [f"{way} got {text!r}" for way, texts in self.said().items() for text in texts]
        for table in ("incident", "incident_entry", "notification", "attempt", "pending", "watch"):
            facts += [f"{table} {row}" for row in self.read(f"SELECT * FROM {table}")]  # noqa: S608 - from above
        facts += [f"signal {row}" for row in self.read("SELECT * FROM signal ORDER BY id DESC LIMIT 40")]
        return "\n".join([*facts, self.log()[-8000:]])


class Onlooker(Victim):
    """It stands at the hub and loses sight of an island; messages leave all the time."""

    asset = "cable:bon1"

    def broken(self) -> bool:
        return all(self.said().values()) and self.quiet() and any(one["open"] for one in self.incidents())

    def over(self) -> bool:
        repeats = {way: sum("(repeat)" in text for text in texts) for way, texts in self.said().items()}
        return super().over() and all(repeats[way] >= self.in_flight[way] for way in WAYS)

    def check(self) -> None:
        """Both messages were accepted; what was in flight was repeated."""
        super().check()
        rows = self.read("SELECT channel, reason, state FROM notification ORDER BY channel, reason")
        assert rows == [(way, reason, "accepted") for way in WAYS for reason in ("first", "resolved")]
        for way, texts in self.said().items():
            assert len([text for text in texts if "(repeat)" in text]) == self.in_flight[way]
            assert "CRITICAL" in texts[0]
            assert len({text.replace(" (repeat)", "") for text in texts}) == 2


class CutOff(Victim):
    """It stands on the island and loses sight of the world; no message leaves before the end."""

    asset = "vantage:lab-bon"

    def broken(self) -> bool:
        waits = self.read("SELECT count(DISTINCT channel) FROM attempt") == [(len(WAYS),)]
        return waits and any(one["open"] for one in self.incidents())

    def check(self) -> None:
        """Whatever waited has left or was overtaken by what says more."""
        super().check()
        rows = self.read("SELECT channel, state FROM notification")
        assert {state for _, state in rows} <= {"accepted", "superseded"}
        assert {way for way, state in rows if state == "accepted"} == set(WAYS)


VICTIMS: dict[str, type[Victim]] = {"hub": Onlooker, "bon": CutOff}
