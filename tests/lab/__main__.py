"""`python -m tests.lab`: bring the archipelago up, break and mend it by hand, or leave it up for a while."""

import argparse
import signal
import sys
import time
from collections.abc import Callable

from tests.lab.archipelago import Archipelago
from tests.lab.daemons import lab_missing
from tests.lab.net import LabError
from tests.lab.topology import CABLES, HUB_ROUTER, ISLANDS, REFERENCES, SMS, SMTP, VANTAGES, Cable

COMMANDS: dict[str, tuple[str, Callable[..., object]]] = {
    "cut": ("CABLE", Archipelago.cut),
    "silent": ("CABLE", Archipelago.silent_cut),
    "family": ("CABLE 4|6", lambda lab, cable, family: lab.family_cut(cable, int(family))),
    "loss": ("CABLE PERCENT", lambda lab, cable, percent: lab.loss(cable, int(percent))),
    "heal": ("CABLE", Archipelago.heal),
    "kill": ("ISLAND    its name server", Archipelago.kill_dns),
    "start": ("ISLAND", Archipelago.start_dns),
    "whole": ("mend everything and wait until it answers", lambda lab: (lab.heal_all(), lab.settle())),
    "sms": ("what reached the handset", lambda lab: show(lab.received_sms())),
    "mail": (
        "what the mail server took",
        lambda lab: show([(mail.to, str(mail.message["Subject"])) for mail in lab.received_mail()]),
    ),
    "help": ("", lambda lab: print(manual(lab))),
}


def main() -> int:
    """Return 0, or 2 with a sentence when the lab cannot run here."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--for", dest="seconds", type=float, help="stay up so long and end, without a prompt")
    seconds = parser.parse_args().seconds
    if missing := lab_missing():
        print(missing, file=sys.stderr)
        return 2
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    began = time.monotonic()
    try:
        with Archipelago(lambda line: print(f"{time.monotonic() - began:5.1f} s  {line}", flush=True)) as lab:
            print(manual(lab), flush=True)
            if seconds is None:
                prompt(lab)
            else:
                time.sleep(seconds)
    except KeyboardInterrupt:
        print()
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print("gone, nothing left behind")
    return 0


def manual(lab: Archipelago) -> str:
    """What is where, and what one can do to it."""
    bon = ISLANDS["bon"]
    return "\n".join(
        (
            "",
            f"hub    router {' '.join(HUB_ROUTER)}",
            *(f"{i.name}    router {' '.join(i.router)}   {i.zone} at {' '.join(i.dns)}" for i in ISLANDS.values()),
            f"       https at {' '.join(bon.web or ())}, trust {lab.authority}",
            *(
                f"{name}   from {ends(cable, cable.start)} to {ends(cable, cable.island)}"
                for name, cable in CABLES.items()
            ),
            f"world  zone . at {' '.join(REFERENCES[0][1:])} and so on to {' '.join(REFERENCES[-1][1:])}",
            f"       SMTP {SMTP[0]}:{SMTP[1]}, Kannel http://{SMS[0]}:{SMS[1]}/cgi-bin/sendsms",
            *(
                f"look from {name}: nsenter --net={lab.spaces[at].path} ping {bon.router[0]}"
                for name, at in VANTAGES.items()
            ),
            f"logs   {lab.folder}",
            "",
            *(f"  {name:7}{usage}" for name, (usage, _) in COMMANDS.items()),
            "  quit",
            "",
        )
    )


def ends(cable: Cable, where: str) -> str:
    """The addresses of one end."""
    return f"{cable.end(4, where)} {cable.end(6, where)}"


def prompt(lab: Archipelago) -> None:
    """Obey until the end of input or `quit`."""
    while True:
        try:
            name, *arguments = input("lab> ").split() or [""]
        except EOFError:
            return
        if name in {"quit", "exit"}:
            return
        if name:
            obey(lab, name, arguments)


def obey(lab: Archipelago, name: str, arguments: list[str]) -> None:
    """Run one command; what is wrong with it is said in a line."""
    if name not in COMMANDS:
        print(f"no command {name}: there are {', '.join(COMMANDS)}")
        return
    usage, act = COMMANDS[name]
    try:
        act(lab, *arguments)
    except LabError as error:
        print(error)
    except (TypeError, ValueError):
        print(f"usage: {name} {usage}")


def show(things: list[object]) -> None:
    """Print one line for each thing."""
    for thing in things:
        print(thing)


if __name__ == "__main__":
    sys.exit(main())
