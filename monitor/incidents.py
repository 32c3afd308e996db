"""From standings to incidents: one for each cause, its children silent behind it. Pure; time is an argument."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain

from alerting.model import Severity
from monitor import witness
from monitor.docket import Book, Change, Docket, worst
from monitor.joining import Joining
from monitor.kin import Kin
from monitor.model import Entry, Incident, Phase
from monitor.outlook import TROUBLE, UNSEEN, Outlook, Presumption
from monitor.patience import PATIENCE, Patience
from monitor.standing import Standing
from monitor.topology import Topology

LONGEST_HOLD = timedelta(minutes=10)


def apply(book: Book, touched: Iterable[str], view: Outlook) -> tuple[Book, list[Change]]:
    """Draw the consequences of a change in the touched assets, and of the time that has passed."""
    turn = _Turn(book, view)
    for asset in turn.concerned(touched):
        turn.consider(asset)
    for asset in [name for name in turn.waiting if name in view.topology.servers]:
        turn.consider(asset)  # what it is made of has spoken by now
    turn.together()
    turn.joining.gather()
    turn.joining.part()
    witness.bear(turn.docket, view, turn.recovered)
    return turn.result()


def standings(assets: Iterable[str], book: Book, view: Outlook) -> dict[str, Standing]:
    """Say how assets stand, UNREACHABLE where something they need is down; for the page."""
    turn = _Turn(book, view)
    return {asset: turn.seen_from_outside(asset) for asset in assets}


def no_longer_watched(book: Book, topology: Topology, now: datetime) -> tuple[Book, list[Change]]:
    """Close the incidents of assets that nothing watches any more (after a change of config)."""
    turn = _Turn(book, Outlook({}, topology, now))
    for incident in list(book.open.values()):
        for child in incident.children:
            if child not in topology.checks:
                turn.leave(turn.docket.open[incident.id], child, "is no longer watched")
        if incident.id in turn.docket.open and not topology.seen(incident.asset):
            turn.docket.close(turn.docket.open[incident.id], "no longer watched", now)
    turn.waiting = {asset: at for asset, at in turn.waiting.items() if asset in topology.checks}
    return turn.result()


class _Turn:
    """One application: how things stand, and what it makes of the book."""

    def __init__(self, book: Book, view: Outlook) -> None:
        self.view, self.topology, self.now = view, view.topology, view.now
        self.docket = Docket(book, view.topology, view.now)
        # the machine's clock may have been set back: nothing waits for a moment that was still to come
        self.waiting = {asset: min(at, self.now) for asset, at in book.waiting.items()}
        self.recovered = {asset: min(at, self.now) for asset, at in book.recovered.items()}
        self.excused = {asset: min(at, self.now) for asset, at in book.excused.items()}
        self.kin = Kin(view, self.docket, self.recovered)
        self.inferred: set[str] = set()
        """Assets of which something else tells whether they are lost, over one address family or in whole."""
        self.patience = Patience(view, self.waiting, self.recovered, self.inferred)
        self.joining = Joining(view, self.docket, self.kin, self.recovered)
        world = view.topology.world
        self.settle = timedelta(seconds=world.settle_seconds)
        self.hold = timedelta(seconds=world.hold_seconds)
        self.reopen = timedelta(seconds=world.reopen_seconds)

    def result(self) -> tuple[Book, list[Change]]:
        """Freeze the turn."""
        docket = self.docket
        involved = {incident.asset for incident in docket.open.values()}
        recovered = {a: at for a, at in self.recovered.items() if self.now - at < self.settle or a in involved}
        closed = {id_: one for id_, one in docket.closed.items() if self.now - one.changed < self.reopen}
        book = Book(docket.open, docket.next, self.waiting, recovered, self.excused, closed)
        return book, list(docket.changes.values())

    def concerned(self, touched: Iterable[str]) -> list[str]:
        """Return the assets to consider, parents before children: the touched, what hangs on them, what waits."""
        found: dict[str, None] = {}
        touched = list(touched)
        stack = [*touched, *self.waiting, *self.excused]
        stack += [need for asset in stack for need in self.topology.unwatched_above(asset)]
        for asset in stack[:]:
            home = self.docket.home(asset)
            self.inferred |= {home.asset} if home is not None and home.confidence < 1 else set()
            self.inferred |= set(self.topology.all_above(asset)) if self.view.standing(asset).family else set()
            stack += filter(self.docket.own, self.topology.beside(asset))  # they may matter more now
        stack += sorted(self.inferred)
        while stack:
            asset = stack.pop()
            if asset not in found:
                found[asset] = None
                stack += self.topology.children(asset)
                stack += self.topology.served.get(asset, ())
        for incident in self.docket.open.values():
            if incident.asset in self.recovered and not self.only_held(incident):
                found |= dict.fromkeys((incident.asset, *incident.children))
                above = map(self.topology.unwatched_above, incident.children)
                found |= dict.fromkeys(chain.from_iterable(above))
        return sorted(found, key=lambda asset: (self.topology.depth(asset), asset))

    def seen_from_outside(self, asset: str) -> Standing:
        """Return how an asset stands, with the reason that lies behind it."""
        own = self.view.standing(asset)
        if own.phase in UNSEEN:
            presumed = self.view.presumed(asset) if self.docket.own(asset) else None
            return presumed.standing if presumed else own
        mine = self.docket.own(asset)
        cause = self.view.cause(asset) if own.phase in TROUBLE and (mine is None or mine.silent) else None
        servers, home = self.topology.servers, self.docket.home(asset)
        back = self.recovered.get(home.asset) if home else None
        if home is not None and back is not None and own.phase is Phase.DOWN and self.view.not_seen_since(asset, back):
            return own.behind(self.topology.name(home.asset), "was down until a moment ago")
        if cause is None or asset in servers.get(cause, ()) or cause in servers.get(asset, ()):
            return own
        return own.behind(self.topology.name(cause))

    def consider(self, asset: str) -> None:
        """Draw the consequences for one asset."""
        standing = self.view.standing(asset)
        presumed = self.view.presumed(asset) if standing.phase is Phase.UP and asset in self.inferred else None
        if standing.phase in TROUBLE:
            self.trouble(asset, standing)
        elif presumed is not None:
            self.trouble(asset, presumed.standing, presumed)
        elif standing.phase is Phase.UP:
            self.back(asset, "answers again")
        else:
            self.unseen(asset)

    def unseen(self, asset: str) -> None:
        """Take up what nobody can see: by what went down or came back with it, or as a child whose time is over."""
        presumed = self.view.presumed(asset)
        if presumed is not None:
            self.trouble(asset, presumed.standing, presumed)
            return
        if asset not in self.topology.checks:
            self.waiting.pop(asset, None)  # what was presumed is not any more
        own, home = self.docket.own(asset), self.docket.home(asset)
        inferred = own.confidence < 1 if own else home is not None and asset not in self.topology.checks
        if inferred and self.view.refuted(asset):
            self.back(asset, "must be back: what needs it answers again")
            return
        if home is None or home.asset not in self.recovered:
            return
        cause = self.view.standing(home.asset)
        if cause.phase is Phase.UP and cause.since and self.now - cause.since >= self.settle:
            self.leave(home, asset, "cannot be seen")

    def trouble(self, asset: str, standing: Standing, presumed: Presumption | None = None) -> None:
        """Take up an asset in trouble: its own incident, another's, a wait, or a new one."""
        own, home = self.docket.own(asset), self.docket.home(asset)
        if own is not None and not own.silent:
            if self.returns(own, standing) and self.patience.must_wait(asset, standing):
                return
            if not self.other_trouble(own):
                self.go_on(own, standing)
                return
        if home is None and self.view.excuse(asset) is not None:
            self.waiting.pop(asset, None)
            self.excused.setdefault(asset, self.now)
            return
        self.excused.pop(asset, None)
        cause = self.view.cause(asset)
        if cause is not None and self.follow(asset, cause, home):
            return
        if home is not None and not self.abandoned(home, asset):
            return
        self.speak(asset, standing, presumed)

    def returns(self, own: Incident, standing: Standing) -> bool:
        """Whether an incident whose trouble was over, and only waited to be so for long, is in trouble again."""
        past = own.asset in self.recovered and not own.children
        return past and (standing.since or self.now) > own.changed

    def other_trouble(self, own: Incident) -> bool:
        """Close an incident whose trouble is over, and only waited to be so for long, when now another is the cause."""
        past = own.asset in self.recovered and not own.children
        self.waiting.pop(own.asset, None)
        if not past or self.view.cause(own.asset) is None:
            return False
        self.recovered.pop(own.asset)
        self.docket.close(own, "answered again", own.changed)
        return True

    def speak(self, asset: str, standing: Standing, presumed: Presumption | None) -> None:
        """Let an asset speak for itself, if it matters and nothing else has to be known first."""
        severity, own = self.view.severity(asset, standing.phase), self.docket.own(asset)
        if own is not None:
            self.docket.revive(own, standing.reason)
        elif severity is None or standing.remembered:
            self.waiting.pop(asset, None)
        elif presumed is not None and self.kin.left_over(presumed) and self.waits(asset, self.settle):
            return
        elif not self.patience.must_wait(asset, standing, presumed):
            self.begin(asset, standing, severity, presumed)

    def waits(self, asset: str, most: timedelta) -> bool:
        """Let an asset wait, for so long at most since it began to; say whether it does."""
        return self.now - self.waiting.setdefault(asset, self.now) < most

    def go_on(self, own: Incident, standing: Standing) -> None:
        """Bring an asset's own incident up to date."""
        if self.joining.merged(own, standing):
            return
        severity = self.view.severity(own.asset, standing.phase)
        if severity is None:
            left = self.view.left(own.asset)
            self.back(own.asset, f"is no longer down: {left[1]}" if left else "is no longer down")
            return
        worse = severity.rank > own.severity.rank and not self.joining.told_by_another(own, standing)
        title = self.topology.title(own.asset, standing.phase)
        back = self.recovered.pop(own.asset, None) is not None
        if not (worse or back) and title == own.title:
            return
        what = "severity" if worse else "again" if back else "evidence"
        milder = worst(own.phase, standing.phase) is not standing.phase
        self.docket.revise(
            own,
            "worse" if worse else "updated",
            Entry(self.now, what, f"{title}{' again' if back else ''}: {standing.reason}"),
            severity=severity if worse else own.severity,
            phase=worst(own.phase, standing.phase),
            title=title,
            reason=standing.reason,
            gravest=(own.gravest or own.reason) if milder else "",
        )

    def together(self) -> None:
        """Let what only waits for company speak when something beside it does: they are told in one message."""
        changes = self.docket.changes.values() if self.patience.company else ()
        opened = [one.incident for one in changes if one.what in {"opened", "reopened"}]
        spoken = {code for one in opened for code in one.territories}
        for asset, (standing, presumed) in self.patience.company.items():
            severity = self.view.severity(asset, standing.phase)
            if asset in self.waiting and severity and spoken & set(self.topology.territories(asset)):
                self.begin(asset, standing, severity, presumed)

    def follow(self, asset: str, cause: str, home: Incident | None) -> bool:
        """Stand silently behind what explains it; False when that has no incident and waits for none."""
        cause = self.kin.root(cause)
        incident, waits = self.docket.place(cause), cause in self.waiting
        if incident is None or (waits and home is None):
            made_of = cause in self.topology.servers.get(asset, ())
            waits = waits or (made_of and self.now - self.waiting.get(asset, self.now) < PATIENCE)
            if home is None and waits:
                self.waiting.setdefault(asset, self.now)
            return home is not None or waits
        self.waiting.pop(asset, None)
        if home is not None and home.id == incident.id:
            return True
        if home is not None:
            self.leave(home, asset, "is now behind another cause")
            self.joining.take_back(home.id, incident)
            incident = self.docket.open.get(incident.id, incident)
        behind = "unreachable" if self.view.standing(asset).phase is Phase.DOWN else "in trouble"
        self.docket.join(incident, asset, f"{self.topology.name(asset)} is {behind} behind {self.topology.name(cause)}")
        return True

    def abandoned(self, home: Incident, asset: str) -> bool:
        """Whether a child whose cause is gone has had its time to come back; then it leaves and speaks for itself."""
        if self.view.standing(asset).flapping:
            return False  # it answers, and has not stayed yet
        since = self.recovered.get(home.asset)
        if since is None and self.view.standing(home.asset).phase in TROUBLE:  # it has another way now
            since = self.waiting.setdefault(asset, self.now)
        if since is None or self.now - since < self.settle:
            return False
        self.leave(home, asset, f"is still down {self.settle.total_seconds():.0f} s after the cause was gone")
        return True

    def begin(self, asset: str, standing: Standing, severity: Severity, presumed: Presumption | None) -> None:
        """Open an incident: a new one, one that closed a moment ago, or under its true name one that is open."""
        self.waiting.pop(asset, None)
        self.recovered.pop(asset, None)
        finding = self.joining.finding(asset, standing, severity, presumed)
        heir = self.kin.heir(asset, standing)
        if heir is not None:
            self.joining.accompany(self.docket.take_over(heir, finding), standing)
            return
        lately = self.docket.closed_lately(asset)
        again = lately is not None and lately.closed is not None and self.now - lately.closed < self.reopen
        own = self.docket.reopen(lately, finding) if lately and again else self.docket.begin(finding)
        self.joining.accompany(own, standing)

    def back(self, asset: str, how: str) -> None:
        """Take note that an asset is in no trouble any more."""
        self.waiting.pop(asset, None)
        self.excused.pop(asset, None)
        home = self.docket.home(asset)
        if home is not None:
            self.leave(home, asset, how)
        own = self.docket.own(asset)
        if own is None:
            return
        first = asset not in self.recovered
        at = self.recovered.setdefault(asset, self.now)
        behind = own.children
        if not behind and (own.silent or (self.held(own) and all(map(self.held, self.kin.fellows(own))))):
            self.docket.close(self.joining.alone(own), how, max(at, own.changed))
        elif first:
            rest = f"waiting for {self.topology.names(behind)}" if behind else f"closes in {self.holds(own).seconds} s"
            self.docket.revise(own, "updated", Entry(self.now, "recovered", f"{how}; {rest}"))

    def only_held(self, own: Incident) -> bool:
        """Whether nothing but time is missing until an incident that is over closes."""
        return not own.children and self.view.standing(own.asset).phase is Phase.UP and not self.held(own)

    def held(self, own: Incident) -> bool:
        """Whether an asset, and all that stood behind it, has been back for as long as it must."""
        past = self.now - max(self.recovered[own.asset], own.changed)
        return not own.children and (past >= self.hold or own.kind == "vantage") and past >= self.holds(own)

    def holds(self, own: Incident) -> timedelta:
        """Return how long an asset must have been back: longer each time that it did not stay.

        The own link is back when the references say so: what waited for it leaves now and must tell that it is over.
        """
        returns = sum(entry.what in {"again", "reopened"} for entry in own.timeline)
        if own.kind == "vantage" and not returns:
            return timedelta()
        return min(self.hold * float(2 ** min(returns, 8)), max(self.hold, LONGEST_HOLD))

    def leave(self, home: Incident, asset: str, how: str) -> None:
        """Take a child out of an incident; the last one out closes it when its cause is gone."""
        home = self.docket.leave(home, asset, how)
        at = self.recovered.get(home.asset)
        if at is not None and not home.children and not self.hold:
            self.docket.close(home, "answers again", self.now)
