"""What others tell of an open incident: routers of their interfaces, the world's routers of networks. Pure."""

from collections.abc import Container

from monitor.docket import Docket
from monitor.model import Entry
from monitor.outlook import Outlook


def bear(docket: Docket, view: Outlook, recovered: Container[str]) -> None:
    """Let stand as evidence, once each, what has come in since an incident opened."""
    for own in list(docket.open.values()):
        if own.silent or own.asset in recovered:
            continue
        known = {_who(line) for line in own.evidence}
        said = [line for line in view.witnesses(own.asset, own.children) if _who(line) not in known]
        for line in said:
            one = docket.open[own.id]
            docket.revise(one, "updated", Entry(view.now, "evidence", line), evidence=(*one.evidence, line))


def _who(line: str) -> str:
    """Return the check and part that a line of evidence is of: what it says may have changed since."""
    return line.partition(": ")[0]
