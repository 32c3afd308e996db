"""What it costs to tell a thousand people; what a storm sends, a hung provider does to the others, waiting costs.

A thousand contacts are told by SMS, through Debian's Kannel to its fake SMS centre, and by mail, to an SMTP server on
loopback; delivery reports come back meanwhile. Beside it the same messages by apprise, one URL each. Our process stands
alone: its CPU seconds are those of bench/office.py. Takes about two minutes (--quick: 40 s).
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # started as a file: python bench/messages.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import SUBJECT, Goal, Number, Progress, Report, asked, finish
from tests.daemons import FAKESMSC, kannel, listens, until
from tests.ports import own_ports

ROOT = Path(__file__).parents[1]
SECRET = "a-secret-of-the-gateway"  # noqa: S105 - of a gateway that lives for this run
HEALTHY = ("a", "b", "c", "d")
GOALS = (
    Goal("served_s", 10),
    Goal("cpu_ms_per_message", 5),
    Goal("served_lost", 0, exact=True),
    Goal("hung_p99_added_ms", 100),
    Goal("storm_sms_per_contact", 2),
    Goal("idle_cpu_ms_per_hour", 360),
)
"""An idle ladder costs nothing: a thousand of them take less than a ten-thousandth of a core."""


@dataclass(slots=True)
class Bench:
    """What a run has: where, how large, for whom."""

    folder: Path
    say: Progress
    report: Report
    contenders: list[str]
    quick: bool

    def office(self, name: str, **asked: Any) -> dict[str, float]:
        """Let our process do what is asked, in a folder of its own; return what it found."""
        return self.run("bench.office", name, asked)

    def run(self, module: str, name: str, asked: dict[str, Any]) -> dict[str, float]:
        folder = self.folder / name
        folder.mkdir()
        with (folder / "stderr").open("wb") as said:
            argv = [sys.executable, "-m", module, str(folder)]
            ran = subprocess.run(
                argv, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, stderr=said, cwd=ROOT, check=False
            )
        if ran.returncode:
            raise RuntimeError(f"{module} {name}: {(folder / 'stderr').read_text()[-2000:]}")
        found: dict[str, float] = json.loads(ran.stdout)
        return found


@contextmanager
def child(*argv: str) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", *argv], cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.kill()


@contextmanager
def post_office() -> Iterator[int]:
    """Run an SMTP server that takes everything; yield its port."""
    [port] = own_ports(1)
    with child("aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"):
        until(lambda: listens(port), "the SMTP server listens")
        yield port


def served(bench: Bench) -> None:
    """Tell a thousand contacts by SMS and mail."""
    missing = [name for name in ("bearerbox", "smsbox", str(FAKESMSC)) if shutil.which(name) is None]
    if missing:
        bench.report.notes.append(f"served was left out: {', '.join(missing)} not installed (make test-deps)")
        return
    count = 200 if bench.quick else 1000
    [door] = own_ports(1)
    back = f"http://127.0.0.1:{door}"
    found: dict[str, dict[str, float]] = {}
    with kannel(bench.folder, f"{back}/callback/{SECRET}") as gateway, post_office() as port:
        sms = {"kind": "kannel", "url": gateway.url, "username": gateway.username, "password": gateway.password}
        sms |= {"sender": gateway.sender, "smsc": "FAKE", "callback": back, "secret": SECRET}
        mail = {"kind": "smtp", "host": "127.0.0.1", "port": port, "sender": "lambi@watch.example", "security": "none"}
        for name, module, more in (
            (SUBJECT, "bench.office", {"what": "serve", "channels": {"sms": sms, "mail": mail}}),
            ("apprise", "bench.apprised", {"gateway": gateway.url, "mail": port}),
        ):
            if name not in bench.contenders:
                continue
            bench.say.say(f"{name} tells {count} contacts")
            before = len(gateway.received())
            found[name] = bench.run(module, f"served-{name}", {"contacts": count, "door": door, **more})
            wanted = before + int(found[name]["taken"]) - count
            until(lambda wanted=wanted: len(gateway.received()) >= wanted, "every SMS that was taken arrives")

    def give(figure: str, unit: str, of: Callable[[dict[str, float]], Number]) -> None:
        bench.report.add(figure, unit, {name: of(one) for name, one in found.items()})

    give("served_s", "s", lambda one: one["seconds"])
    give("cpu_ms_per_message", "ms", lambda one: 1000 * one["cpu"] / (2 * count))
    give("served_lost", "messages", lambda one: int(2 * count - one["taken"]))
    bench.report.notes.append(f"{count} contacts, an SMS and a mail each; of lambi's SMS two reports each came back")


def hung(bench: Bench) -> None:
    """Tell forty people on four gateways each half second, where a fifth answers, and where it hangs, side by side.

    Both run in one window, so that whatever else this machine does delays both.
    """
    incidents = 6 if bench.quick else 20
    bench.say.say("four gateways of five, while the fifth answers, and while it hangs")
    with ThreadPoolExecutor(2) as pool:
        with_it = pool.submit(_fifth, bench, incidents, hangs=True)
        without = _fifth(bench, incidents, hangs=False)
        delays = with_it.result()
    both = delays.keys() & without.keys()
    added = sorted(1000 * (delays[key] - without[key]) for key in both)
    bench.report.add("hung_p99_added_ms", "ms", {SUBJECT: added[int(len(added) * 0.99)]})
    bench.report.add("hung_never_told", "messages", {SUBJECT: incidents * 10 * len(HEALTHY) - len(both)})
    slow = sorted(1000 * delay for delay in without.values())
    bench.report.add("unhung_p99_ms", "ms", {SUBJECT: slow[int(len(slow) * 0.99)]})


def _fifth(bench: Bench, incidents: int, *, hangs: bool) -> dict[tuple[str, str, str], float]:
    """Return how long each message to a healthy gateway took."""
    name = "fifth-hangs" if hangs else "fifth-answers"
    folder = bench.folder / f"{name}-got"
    folder.mkdir()
    with ExitStack() as stack:
        ports = dict(zip((*HEALTHY, "e"), own_ports(5), strict=True))
        for each, port in ports.items():
            if each == "e" and hangs:
                stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=512))
            else:
                stack.enter_context(child("bench.sink", str(folder / f"{each}.log"), str(port), str(own_ports(1)[0])))
                until(lambda port=port: listens(port), "the gateway listens")
        channels = {
            each: {"kind": "kannel", "url": f"http://127.0.0.1:{port}/", "username": "u", "password": "p"}
            for each, port in ports.items()
        }
        expect = incidents * 10 * (4 if hangs else 5)
        planned = bench.office(name, what="hang", channels=channels, incidents=incidents, expect=expect)
        return _delays(folder, planned)


def _delays(folder: Path, planned: dict[str, float]) -> dict[tuple[str, str, str], float]:
    """Return for each healthy gateway, incident and contact how long the message took."""
    found = {}
    for each in HEALTHY:
        for line in (folder / f"{each}.log").read_text().splitlines():
            one = json.loads(line)
            incident = one["text"].partition(" ")[0]
            found[each, incident, one["to"]] = one["at"] - planned[incident]
    return found


def storm(bench: Bench) -> None:
    """Lose 3,000 targets within a minute, in a simulated hour."""
    targets, contacts = (600, 3) if bench.quick else (3000, 5)
    bench.say.say(f"a storm of {targets} targets")
    found = bench.office("storm", what="storm", targets=targets, contacts=contacts)
    bench.report.add("storm_sms_per_contact", "SMS", {SUBJECT: int(found["most"])})
    bench.report.add("storm_mails_per_contact", "mails", {SUBJECT: int(found["mails"])})
    bench.report.add("storm_cpu_s", "s", {SUBJECT: found["cpu"]})
    bench.report.add("storm_longest_turn_ms", "ms", {SUBJECT: 1000 * found["longest"]})
    bench.report.notes.append(f"the storm: {targets} incidents that nothing groups, {contacts} contacts, an hour")


def idle(bench: Bench) -> None:
    """Pass an hour with a thousand ladders that wait, and one without."""
    ladders = 200 if bench.quick else 1000
    bench.say.say(f"an hour with {ladders} ladders that wait")
    found = bench.office("idle", what="idle", ladders=ladders)
    without = bench.office("idle-without", what="idle", ladders=0)
    assert found["waits"] == ladders
    bench.report.add("idle_cpu_ms_per_hour", "ms", {SUBJECT: 1000 * found["cpu"]})
    bench.report.add("idle_without_ladders_ms", "ms", {SUBJECT: 1000 * without["cpu"]})


EXPERIMENTS: dict[str, Callable[[Bench], None]] = {"served": served, "hung": hung, "storm": storm, "idle": idle}


def main() -> int:
    """Run the experiments."""
    options = asked(__doc__ or "", EXPERIMENTS, CONTENDERS)
    report = Report("messages", {name: CONTENDERS[name] for name in options.contenders})
    with ExitStack() as stack:
        say = stack.enter_context(Progress())
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lambi-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, say, report, options.contenders, options.quick)
        for name in options.only:
            EXPERIMENTS[name](bench)
    return finish(report, GOALS, options)


CONTENDERS = {
    SUBJECT: "this checkout, the outbox's process alone",
    "apprise": "its own threads, no journal, no receipts",
}


if __name__ == "__main__":
    sys.exit(main())
