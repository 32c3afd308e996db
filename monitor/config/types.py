"""The kinds of values that config knows; each says what it expects."""

import ipaddress
import re
import string
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from alerting.gsm import fold, septets
from monitor.config.problems import did_you_mean

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)?", re.ASCII)
_WRITTEN = r"^(0|\d+(\.\d+)? *(ms|s|m|h|d))$"
"""The same for editors; a bare number is 0."""
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
DESK_ROOM = 20
"""Septets that an SMS keeps for the duty desk's number."""
_ZONES = frozenset(available_timezones())
COALITION = ("governing-agency", "secretariat", "member", "observer")
"""Roles in the coalition; besides them its working groups."""


def wrong(message: str, expected: str = "") -> PydanticCustomError:
    """Return the error that the loader turns into a problem."""
    # The text goes in as context: as a template, braces in it would be read as fields.
    return PydanticCustomError("lambi", "{message}", {"message": message, "expected": expected})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("not a single value", "text")
    return value.strip()


def _shown(text: str) -> str:
    """Return the text for a message; what may be a login or a mail address is not repeated."""
    return "this" if "@" in text else f'"{text[:60]}"'


def duration(value: Any) -> float:
    """Read seconds from ``30s``, ``1.5m``, ``250ms``; only 0 needs no unit, since ``6`` may be meant as 6 hours."""
    text = _text(value)
    match = _DURATION.fullmatch(text)
    if not match:
        raise wrong(f'"{text[:40]}" is not a duration', "a number with its unit: 250ms, 30s, 5m, 1h, 2d")
    number, unit = match[1], match[2]
    if not unit and float(number):
        raise wrong(f'"{number}" has no unit', f"{number}s, {number}m or {number}h")
    return float(number) * _UNITS[unit or "s"]


def ip_address(value: Any) -> str:
    """Return an IPv4 or IPv6 address in its canonical form."""
    text = _text(value)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise wrong(f"{_shown(text)} is not an IP address", "like 192.0.2.1 or 2001:db8::1") from None


def ip_prefix(value: Any) -> str:
    """Return an IP prefix in its canonical form; host bits are an error."""
    text = _text(value)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        reason = "has host bits set" if "host bits" in str(error) else "is not an IP prefix"
        raise wrong(f'"{text[:60]}" {reason}', "like 192.0.2.0/24 or 2001:db8::/32") from None


def host_name(value: Any) -> str:
    """Return a host name (RFC 1123, and the underscore that people use)."""
    text = _text(value)
    if not _HOST.fullmatch(text):
        raise wrong(f"{_shown(text)} is not a host name", "like ns1.example.net")
    return text.lower().rstrip(".")


def zone_name(value: Any) -> str:
    """Return a DNS name to ask for; the root is "."."""
    text = _text(value)
    return text if text == "." else host_name(text)


def host_or_ip(value: Any) -> str:
    """Return an address or a host name; four numbers are always meant as an address."""
    text = _text(value)
    if ":" in text or re.fullmatch(r"[\d.]+", text):
        return ip_address(text)
    return host_name(text)


def web_url(value: Any) -> str:
    """Return an http or https URL without a user or password in it."""
    text = _text(value)
    match = re.fullmatch(r"https?://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#:@\s]+)(?::\d{1,5})?(?:[/?#]\S*)?", text)
    if not match:
        raise wrong("not a web address", "like https://ix.example/ without user or password")
    host_or_ip(match["host"].strip("[]"))
    return text


def stream_url(value: Any) -> str:
    """Return a websocket's URL without a user or password in it."""
    text = _text(value)
    if not text.startswith(("ws://", "wss://")):
        raise wrong("not the address of a stream", "like wss://ris-live.ripe.net/v1/ws/")
    return f"ws{web_url(f'http{text[2:]}')[4:]}"


def asked(value: Any) -> str:
    """Return what a probe may ask: IP address, host name or URL."""
    text = _text(value)
    return web_url(text) if "://" in text else host_or_ip(text)


def zone(value: Any) -> str:
    """Return a time zone of the IANA database."""
    text = _text(value)
    if text not in _ZONES:
        cities = {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in sorted(_ZONES)}
        near = did_you_mean(cities.get(text.casefold(), text), _ZONES, cutoff=0.85)
        raise wrong(f'"{text[:40]}" is not a time zone of the IANA database{near}', "like America/Port_of_Spain or UTC")
    return text


def slug(value: Any) -> str:
    """Return a name that pages, files and messages can carry."""
    text = _text(value)
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", text):
        raise wrong(f'"{text[:40]}" is not a short name', "small letters, digits, dots and dashes, like bb-regulator")
    return text


def asset_id(value: Any) -> str:
    """Return ``kind:slug``, or ``territory:BB``: the networks of a territory."""
    text = _text(value)
    if not re.fullmatch(r"[a-z]+:[a-z0-9][a-z0-9._-]{0,80}|territory:[A-Z]{2}", text):
        raise wrong(f'"{text[:60]}" is not an asset id', 'kind, colon, name, like "router:bridgetown-1" or "ixp:ttix1"')
    return text


def age(value: Any) -> str:
    """Return the date of what somebody knows: a year, a month, or a day."""
    text = _text(value)
    if not re.fullmatch(r"(?:19|20)\d{2}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?", text, re.ASCII):
        raise wrong(f'"{text[:20]}" is not a date', "like 2026, 2026-11 or 2026-11-24")
    return text


def share(value: Any) -> str:
    """Return which share of a territory's people something serves: "0.4", or "0.3-0.5" when it is not known exactly."""
    text = _text(str(value) if isinstance(value, int | float) else value)
    ends = text.split("-")
    if not all(re.fullmatch(r"(?:0?\.\d+|[01](?:\.0*)?)", end, re.ASCII) for end in ends) or len(ends) > 2:
        raise wrong(f'"{text[:20]}" is no share of a territory\'s people', "0 to 1, like 0.4, or 0.3-0.5")
    return text


def iso2(value: Any) -> str:
    """Return an ISO 3166-1 alpha-2 code; whether it is of the region is checked later."""
    text = _text(value)
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise wrong(f'"{text[:20]}" is not the code of a territory', "two capital letters, like BB")
    return text


def asn(value: Any) -> str:
    """Return the number of an autonomous system (RFC 6793) as it is written in one way only: it is an identity."""
    text = _text(value)
    if not re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII) or int(text) > 4_294_967_294:
        raise wrong(f'"{text[:20]}" is not the number of a network', "like 64500, without AS")
    return text


def coalition_role(value: Any) -> str:
    """Return what an organisation is in the coalition: its working groups have names."""
    text = _text(value)
    if text not in COALITION and not re.fullmatch(r"wg-[a-z0-9][a-z0-9-]{0,40}", text):
        near = did_you_mean(text, COALITION)
        raise wrong(f'"{text[:40]}" is no role in the coalition{near}', f"{', '.join(COALITION)}, or wg-NAME")
    return text


def language(value: Any) -> str:
    """Return an ISO 639 code."""
    text = _text(value)
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise wrong(f'"{text[:20]}" is not the code of a language', "like en, es, fr, nl, ht or pap")
    return text


def site_letter(value: Any) -> str:
    """Return one letter, or nothing."""
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z]?", text):
        raise wrong(f'"{text[:20]}" is too long to stand before an incident\'s number', "one letter, or nothing")
    if taken := {"E": "exercises", "P": "postures", "X": "alerts of other systems"}.get(text.upper()):
        raise wrong(f"{text.upper()} stands before the numbers of {taken}", "another letter, or nothing")
    return text.upper()


def user_agent(value: Any) -> str:
    """Return a User-Agent: printable ASCII (RFC 9110, section 5.5)."""
    text = _text(value)
    if not re.fullmatch(r"[\x20-\x7e]{0,200}", text):
        raise wrong("not a User-Agent", "at most 200 printable ASCII characters")
    return text


def desk(value: Any) -> str:
    """Return what somebody who reads an SMS can dial, or nothing."""
    text = _text(value)
    plain = all(letter.isalnum() or letter in " +-().,/#*" for letter in text)
    digits = sum(letter in string.digits for letter in text)
    if text and not (plain and digits >= 3 and fold(text) == text and septets(text) <= DESK_ROOM):
        example = "like +1 246 417 0000 or NOC 417 0000"
        raise wrong(
            "nothing that can be dialled from an SMS",
            f"at most {DESK_ROOM} characters, three digits among them, {example}",
        )
    return text


def families(value: Any) -> tuple[int, ...]:
    """Return address families; ``auto`` asks over both, and what this machine cannot do is UNKNOWN."""
    words = value if isinstance(value, list) else [_text(value)]
    table = {"auto": (4, 6), "4": (4,), "6": (6,)}
    if not words or not all(isinstance(word, str) and word in table for word in words):
        raise wrong("not address families", "auto, 4, 6 or [4, 6]")
    return tuple(sorted({family for word in words for family in table[word]}))


def _kind(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema(schema)


_STRING = {"type": "string"}
Duration = Annotated[
    float,
    BeforeValidator(duration),
    _kind({"type": ["string", "integer"], "examples": ["30s", "5m"], "pattern": _WRITTEN, "minimum": 0, "maximum": 0}),
]
Desk = Annotated[
    str, BeforeValidator(desk), _kind({**_STRING, "maxLength": DESK_ROOM, "examples": ["+1 246 417 0000"]})
]
Ip = Annotated[str, BeforeValidator(ip_address), _kind({**_STRING, "examples": ["192.0.2.1", "2001:db8::1"]})]
Prefix = Annotated[str, BeforeValidator(ip_prefix), _kind({**_STRING, "examples": ["192.0.2.0/24"]})]
Host = Annotated[str, BeforeValidator(host_name), _kind({**_STRING, "examples": ["ns1.example.net"]})]
ZoneName = Annotated[str, BeforeValidator(zone_name), _kind({**_STRING, "examples": [".", "bb"]})]
HostOrIp = Annotated[str, BeforeValidator(host_or_ip), _kind(_STRING)]
Url = Annotated[str, BeforeValidator(web_url), _kind({**_STRING, "examples": ["https://ix.example/"]})]
StreamUrl = Annotated[
    str, BeforeValidator(stream_url), _kind({**_STRING, "examples": ["wss://ris-live.ripe.net/v1/ws/"]})
]
Asked = Annotated[str, BeforeValidator(asked), _kind({**_STRING, "examples": ["192.0.2.1", "https://ix.example/"]})]
Zone = Annotated[str, BeforeValidator(zone), _kind({**_STRING, "examples": ["America/Port_of_Spain"]})]
Slug = Annotated[str, BeforeValidator(slug), _kind({**_STRING, "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"})]
AssetId = Annotated[str, BeforeValidator(asset_id), _kind({**_STRING, "examples": ["router:bridgetown-1"]})]
Age = Annotated[str, BeforeValidator(age), _kind({**_STRING, "examples": ["2026-11"]})]
Share = Annotated[
    str,
    BeforeValidator(share),
    _kind({"type": ["string", "number"], "examples": [0.4, "0.3-0.5"], "minimum": 0, "maximum": 1}),
]
Iso2 = Annotated[str, BeforeValidator(iso2), _kind({**_STRING, "pattern": "^[A-Z]{2}$", "examples": ["BB"]})]
Asn = Annotated[str, BeforeValidator(asn), _kind({**_STRING, "examples": ["64500"]})]
CoalitionRole = Annotated[
    str, BeforeValidator(coalition_role), _kind({**_STRING, "examples": ["secretariat", "wg-cables"]})
]
Language = Annotated[str, BeforeValidator(language), _kind({**_STRING, "pattern": "^[a-z]{2,3}$", "examples": ["en"]})]
SiteLetter = Annotated[str, BeforeValidator(site_letter), _kind({**_STRING, "maxLength": 1})]
UserAgent = Annotated[str, BeforeValidator(user_agent), _kind({**_STRING, "maxLength": 200})]
Families = Annotated[
    tuple[int, ...],
    BeforeValidator(families),
    _kind({"anyOf": [{"enum": ["auto", 4, 6]}, {"type": "array", "items": {"enum": [4, 6]}}]}),
]
