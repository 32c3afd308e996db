"""Alerting alone: a library without the daemon; its registry and its words agree."""

import dataclasses
import subprocess
import sys

from alerting.channels import CHANNELS
from alerting.model import Message, Reason, Reply, Severity
from alerting.schema import NOTIFICATION_3
from tests.alerting.fakes import at, contact

ALONE = """
import sys
from alerting import alertmanager, foreign_book, journal, model, outbox, plan, render, route, runbooks, schema, told
from alerting.channels import CHANNELS
foreign = [name for name in sys.modules if name.partition(".")[0] in {"monitor", "probes"}]
print(foreign)
"""


def test_it_imports_nothing_of_the_daemon() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_channel_is_a_dataclass_that_hides_its_secrets() -> None:
    for cls in CHANNELS.values():
        assert cls.form in {"mail", "sms"}
        assert cls.__doc__
        for field in dataclasses.fields(cls):
            assert field.repr == (field.init and field.name not in {"password", "secret"})


def test_the_tables_know_every_severity_and_every_reason_that_speaks() -> None:
    for word in (*Severity, *(reason for reason in Reason if reason.speaks)):
        assert f"'{word}'" in NOTIFICATION_3


def test_no_repr_names_a_person() -> None:
    noc = contact("noc", "sms")
    reply = Reply("sms", "+18685550100", "private words", at(0), "1")
    message = Message("1", "4711", "subject", "private words")
    for text in (repr(noc), repr(reply), repr(message)):
        assert "example" not in text
        assert "555" not in text
        assert "private" not in text
