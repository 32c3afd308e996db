"""A real mail server on loopback: Exim with reports of delivery (RFC 3461), which delivers into maildirs."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.daemons import listens, until
from tests.ports import own_port

CONF = """
primary_hostname = mx.example
domainlist ours = watch.example : operator.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
never_users = root
deliver_drop_privilege
host_lookup =
tls_advertise_hosts =
dsn_advertise_hosts = *
acl_smtp_rcpt = rcpt
delay_warning = 1s
delay_warning_condition = yes
queue_run_max = 3
begin acl
rcpt:
  deny local_parts = unknown
       message = 5.1.1 no such user
  accept domains = +ours
  deny message = no relaying
begin routers
gone:
  driver = redirect
  domains = +ours
  local_parts = gone
  allow_fail
  data = :fail: 5.2.1 mailbox is closed
full:
  driver = redirect
  domains = +ours
  local_parts = full
  allow_defer
  data = :defer: 4.2.2 mailbox is full
people:
  driver = accept
  domains = +ours
  local_parts = {people}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/$local_part_data
  maildir_format
  create_directory
  user = {user}
begin retry
* * F,1h,1s
"""
PEOPLE = ("lambi", "noc", "ctu")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A running server; each of its people has a maildir."""

    port: int
    folder: Path

    def maildir(self, name: str) -> Path:
        return self.folder / "mail" / name

    def mails(self, name: str) -> list[EmailMessage]:
        """Return what has been delivered to somebody and not been taken, oldest first."""
        files = sorted((self.maildir(name) / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
        return [mail for mail in mails if isinstance(mail, EmailMessage)]

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "log").glob("*log")))


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run Exim below a folder that its own user may enter, which a test's folder is not."""
    program = shutil.which("exim4")
    if program is None:
        pytest.skip("exim4-daemon-light is not installed: make test-deps")
    if os.geteuid() != 0:
        pytest.skip("needs root: Exim becomes its own user to deliver")
    user = pwd.getpwnam("Debian-exim")
    with tempfile.TemporaryDirectory(prefix="lambi-mta") as name:
        folder, port = Path(name), own_port()
        for below in (".", "spool", "log", "mail", *(f"mail/{one}" for one in PEOPLE)):
            (folder / below).mkdir(exist_ok=True)
            os.chown(folder / below, user.pw_uid, user.pw_gid)
        for one in PEOPLE:
            for part in ("new", "cur", "tmp"):
                (folder / "mail" / one / part).mkdir()
                os.chown(folder / "mail" / one / part, user.pw_uid, user.pw_gid)
        conf = folder / "exim.conf"
        conf.write_text(CONF.format(port=port, folder=folder, user=user.pw_name, people=" : ".join(PEOPLE)))
        conf.chmod(0o644)
        with (folder / "log" / "stderr").open("wb") as said:
            daemon = subprocess.Popen([program, "-bdf", "-q1s", "-C", str(conf)], stderr=said, stdout=said)
        try:
            until(lambda: daemon.poll() is not None or listens(port), "Exim listens")
            assert daemon.poll() is None, (folder / "log" / "stderr").read_text()
            yield MailServer(port, folder)
        finally:
            daemon.terminate()
            daemon.wait(10)
