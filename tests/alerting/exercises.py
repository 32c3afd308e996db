"""What tests of exercises share."""

from dataclasses import replace
from pathlib import Path

from alerting.directory import Directory
from alerting.inbound import Inbox
from alerting.journal import Journal
from alerting.runbooks import Runbooks
from tests.alerting.fakes import (
    OPEN,
    Office,
    Provider,
)

BOOKS = Runbooks.load(Path(__file__).parents[2] / "runbooks")
EXERCISE = replace(OPEN, incident="E12", exercise=("noc",))


def office_of(journal: Journal, who: Directory) -> tuple[Office, Provider]:
    sms_, mail_ = Provider(), Provider("mail")
    sms_.receipts = sms_.answers = True
    return Office(journal, who, {"sms": sms_, "mail": mail_}, runbooks=BOOKS), sms_


def inbox_of(office: Office) -> Inbox:
    return Inbox(
        office.journal, lambda: office.directory, office.truth, BOOKS, site="Hub", draw=lambda below: 7 % below
    )
