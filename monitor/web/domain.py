"""A country domain as a set: how many of its servers answer, and what they say of it together. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model import Phase
from monitor.views import AssetView, CheckView, Snapshot
from monitor.web.words import span
from probes.model import Value

ANSWER = frozenset({Phase.UP, Phase.DEGRADED, Phase.PARTITIONED})


@dataclass(frozen=True, slots=True)
class Family:
    """Its servers over one address family."""

    family: int
    servers: int
    answering: int
    unknown: int
    serials: int | None = None
    """How many serials they give; None: not known, as the rest."""
    lag_seconds: float | None = None
    """For how long a serial newer than the oldest has been out."""
    signature_seconds: float | None = None
    """Until the first signature ends; None: it is not signed, or not known."""
    networks: str = ""
    """In how many networks they stand."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What is known of a country domain's servers together."""

    zone: str
    """The asset that is what they say; "" where nobody looks at it."""
    families: tuple[Family, ...]
    troubles: tuple[str, ...]
    """What is wrong with what they say, a sentence for each server and family."""


def domain(snapshot: Snapshot, one: AssetView) -> Domain | None:
    """Return what is known of a country domain's servers together; None for any other asset."""
    if one.asset.kind != "cctld" or not one.checks:
        return None
    name = f"zone:{one.asset.id.partition(':')[2]}"
    zone = snapshot.assets.get(name)
    said = zone.checks if zone else ()
    numbers = sorted({check.family for check in one.checks})
    families = tuple(_family(number, one, zone, said) for number in numbers)
    return Domain(name if zone else "", families, tuple(_troubles(said)))


def _family(number: int, one: AssetView, zone: AssetView | None, said: Iterable[CheckView]) -> Family:
    checks = [check for check in one.checks if check.family == number]
    answering = sum(check.phase in ANSWER for check in checks)
    unknown = sum(check.phase is Phase.UNKNOWN for check in checks)
    whole = next((check for check in said if check.family == number and not check.part), None)
    values = whole.values if whole and whole.phase in ANSWER else {}  # else they are old
    serials = _number(values.get("serials"))
    networks = zone.asset.facts.get(f"networks_over_ipv{number}", "") if zone else ""
    lag, signature = _number(values.get("lag_seconds")), _number(values.get("signature_seconds"))
    given = None if serials is None else int(serials)
    return Family(number, len(checks), answering, unknown, given, lag, signature, networks)


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _troubles(said: Iterable[CheckView]) -> Iterator[str]:
    for check in said:
        if check.phase in {Phase.DOWN, Phase.SUSPECT} and check.reason:
            yield f"{check.part or 'all'} over IPv{check.family}: {check.reason}"


def sentences(found: Domain) -> Iterator[str]:
    """Say it in words, a sentence for each family and each trouble."""
    for one in found.families:
        blind = f", {one.unknown} cannot be known" if one.unknown else ""
        words = [f"over IPv{one.family}, {one.answering} of {one.servers} servers answer{blind}"]
        if one.serials is not None:
            words.append("all give one serial" if one.serials == 1 else f"they give {one.serials} serials")
        if one.lag_seconds:
            words.append(f"newer ones than the oldest have been out for {span(one.lag_seconds)}")
        if one.signature_seconds is not None:
            left = one.signature_seconds
            ends = f"ends in {span(left)}" if left > 0 else f"ended {span(-left)} ago"
            words.append(f"the first signature {ends}")
        if one.networks:
            words.append(f"networks they stand in: {one.networks}")
        yield "; ".join(words)
    yield from found.troubles
