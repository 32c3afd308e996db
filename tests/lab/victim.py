"""A daemon that is killed once, around one commit, and started again on what it left."""

from collections import Counter

from tests.lab.archipelago import Archipelago
from tests.lab.lambi import Lambi

DYING = ("-m", "tests.lab.dying")
WAYS = ("lab-mail", "lab-sms")
Point = tuple[str, str]
""""before" or "after", and the commit: a milestone or a number."""


class Victim(Lambi):
    """It may be spared: a story can have fewer commits than the number of its point."""

    def __init__(self, lab: Archipelago, number: int, point: Point) -> None:
        super().__init__(lab, "hub", "-".join(("victim", *point)), number)
        self.reborn = self.spared = False
        self.in_flight: Counter[str] = Counter()
        """Channels of the attempts whose end nobody knew when it died."""
        self._armed = self.config / "armed"
        self.start(DYING, *point)

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

    def broken(self) -> bool:
        """Whether it knows of the cut and its contact does."""
        return all(self.said().values()) and self.quiet() and any(one["open"] for one in self.incidents())

    def over(self) -> bool:
        """Whether it knows that all is well, its contact has everything that was to be said, and it may be judged."""
        told = all(
            any(" OVER" in text for text in texts) and self._marked(texts) >= self.in_flight[way]
            for way, texts in self.said().items()
        )
        closed = [one["open"] for one in self.incidents()] == [False]
        return told and closed and self.quiet() and self.decided()

    def check(self) -> None:
        """One incident with one id; first news and the end, each once, and again only if it was in flight, marked."""
        (incident,) = self.incidents()
        assert (incident["id"], incident["asset"], incident["open"]) == ("1", "cable:bon1", False)
        rows = self.read("SELECT channel, reason, state FROM notification ORDER BY channel, reason")
        assert rows == [(way, reason, "accepted") for way in WAYS for reason in ("first", "resolved")]
        for way, texts in self.said().items():
            flew = self.in_flight[way]
            assert flew <= 1
            assert self._marked(texts) == flew
            assert 2 - flew <= len(texts) - flew <= 2
            assert "CRITICAL" in texts[0]
            assert "OVER" in texts[-1]

    def _marked(self, texts: list[str]) -> int:
        return len([text for text in texts if "(repeat)" in text])

    def story(self) -> str:
        """Tell everything that explains a failure."""
        life = "reborn" if self.reborn else "spared" if self.spared else "not dead yet"
        facts = [f"{self.name}: {life}, in flight at its death: {dict(self.in_flight)}"]
        facts += [f"{way} got {text!r}" for way, texts in self.said().items() for text in texts]
        for table in ("incident", "incident_entry", "notification", "attempt", "pending", "watch"):
            facts += [f"{table} {row}" for row in self.read(f"SELECT * FROM {table}")]  # noqa: S608 - from above
        facts += [f"signal {row}" for row in self.read("SELECT * FROM signal ORDER BY id DESC LIMIT 40")]
        return "\n".join([*facts, self.log()[-8000:]])
