"""Starts real daemons in the foreground inside the namespaces, each with a log file; knows what must be installed."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.lab.net import LabError, Namespace

FRR = Path("/usr/lib/frr")
FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
PROGRAMS = {
    "iproute2": "ip",
    "nftables": "nft",
    "iputils-ping": "ping",
    "openssl": "openssl",
    "frr": str(FRR / "bgpd"),
    "bird2": "bird",
    "knot": "knotd",
    "knot-dnsutils": "kdig",
    "snmpd": "snmpd",
    "nginx-light": "nginx",
    "kannel": "bearerbox",
    "kannel-extras": str(FAKESMSC),
}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - these are configuration files of daemons, not HTML
)


def lab_missing() -> str | None:
    """Return one sentence that says why the archipelago cannot be brought up here, or None."""
    if os.geteuid() != 0:
        return "the lab needs root: it makes network namespaces"
    missing = [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        return f"the lab needs {', '.join(missing)}: make test-deps"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        return "the lab needs network namespaces, and this system forbids them"
    if not Path("/proc/sys/net/ipv6").exists():
        return "the lab needs IPv6 in the kernel"
    return None


@dataclass(slots=True)
class Daemons:
    """The processes of one archipelago, by name; configs, state and logs stand in `folder`."""

    folder: Path
    spaces: Mapping[str, Namespace]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def home(self, name: str, user: str = "root") -> Path:
        """Return the folder of one daemon, owned by the user that it becomes."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        shutil.chown(home, user)
        return home

    def config(self, template: str, path: Path, **values: object) -> Path:
        """Render a template into a file."""
        path.write_text(TEMPLATES.get_template(template).render(values))
        return path

    def start(self, where: str, name: str, argv: Sequence[str | Path], *, stdin: int = subprocess.DEVNULL) -> None:
        """Start a daemon that must live as long as the lab."""
        if name in self.running:
            raise LabError(f"{name} runs already")
        self.running[name] = self.launch(where, name, argv, stdin=stdin)

    def launch(
        self,
        where: str,
        name: str,
        argv: Sequence[str | Path],
        *,
        stdin: int = subprocess.DEVNULL,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Run a program inside a namespace; what it prints goes to NAME.out and NAME.err."""
        command = self.spaces[where].enter(*(str(part) for part in argv))
        with self.output(name).open("ab") as out, self.output(name, "err").open("ab") as err:
            return subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err, env=env, start_new_session=True)

    def output(self, name: str, which: str = "out") -> Path:
        """Where a program's standard output or its standard error goes."""
        return self.folder / f"{name}.{which}"

    def stop(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End one daemon and wait until it has ended."""
        if name not in self.running:
            raise LabError(f"{name} does not run")
        process = self.running.pop(name)
        process.send_signal(how)
        process.wait(timeout=10)
        if process.stdin:
            process.stdin.close()

    def alive(self) -> None:
        """Raise LabError with the last lines of its log when a daemon has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise LabError(f"{name} ended with {process.returncode}: {self._last_words(name)}")

    def _last_words(self, name: str) -> str:
        lines = [line for which in ("out", "err") for line in self.output(name, which).read_text().splitlines()[-3:]]
        return " / ".join(lines) or "it said nothing"

    def reap(self) -> None:
        """Collect every process that was started here, once they have been killed."""
        for name in list(self.running):
            self.stop(name)
