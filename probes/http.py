"""HTTP and HTTPS: does a page answer as expected, over one address family, with a certificate that we trust."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import urlsplit

from probes.local import canonical
from probes.model import LocalError, Outcome, Part, Reading, Target, Value

AGENT = "Lambi/0.1 (network observatory; one GET per look; whoever runs this vantage can stop it)"
_RANGE = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?")


@dataclass(frozen=True, slots=True)
class Http:
    """One GET on a new connection; OK when the status is one of those expected.

    Asks ``url``, or ``https://host/``, at the target's address when that is an IP literal; without both, the target's
    address is the URL, or a host (https) or IP literal (http) whose front page is asked.
    """

    kind: ClassVar[str] = "http"
    columns: ClassVar[Mapping[str, float | None]] = {
        "rtt_seconds": 1e-6,
        "connect_seconds": 1e-6,
        "first_byte_seconds": 1e-6,
        "status": 1.0,
        "certificate_expires_timestamp_seconds": 1.0,
    }
    url: str = ""
    host: str = ""
    """Short for ``url: https://HOST/``: the name asked for, in the Host header, in SNI and in the certificate."""
    status: str = "200-399"
    """Statuses and ranges, separated by commas."""
    redirects: int = 5
    """How many redirects are followed, 0 to 10."""
    agent: str = AGENT
    ca: str = ""
    """File of certificates to trust instead of the system's."""

    def __post_init__(self) -> None:
        if self.url and self.host:
            raise ValueError("url and host: give one of them")
        if self.url or self.host:
            _checked(self._wanted())
        if not 0 <= self.redirects <= 10:
            raise ValueError(f"redirects: {self.redirects}; 0 to 10 expected")
        if not self.agent.isascii() or not self.agent.isprintable():
            raise ValueError("agent: printable ASCII expected")
        self._expected(0)

    def _wanted(self) -> str:
        return self.url or (f"https://{self.host}/" if self.host else "")

    def _expected(self, status: int) -> bool:
        """Say whether the status is expected; raises ValueError for a setting that cannot be read."""
        found = False
        for word in self.status.split(","):
            match = _RANGE.fullmatch(word.strip())
            if match is None:
                raise ValueError(f"status: {self.status!r}; statuses and ranges expected, such as 200-399,401")
            found |= int(match[1]) <= status <= int(match[2] or match[1])
        return found

    def where(self, target: Target) -> tuple[str, dict[str, str]]:
        """Return the URL and, for a host that is not to be resolved, its address; raises LocalError."""
        address, wanted = target.address, self._wanted()
        literal = _is_literal(address)
        try:
            if not wanted:
                wanted = (
                    address
                    if "://" in address
                    else f"http://{_bracketed(address)}/"
                    if literal
                    else f"https://{address}/"
                )
            host = _checked(wanted)
        except ValueError as error:
            raise LocalError(str(error)) from error
        if _is_literal(host):
            canonical(host, target.family)
        return wanted, {host: canonical(address, target.family)} if literal else {}

    async def read(self, target: Target) -> Reading:
        """Ask once; raises RemoteError (refused when it answered), LocalError."""
        from probes.http_client import fetch  # noqa: PLC0415 - aiohttp costs 0.2 s and 25 MB; only who asks HTTP shall pay

        url, pinned = self.where(target)
        page = await fetch(url, pinned, family=target.family, agent=self.agent, redirects=self.redirects, ca=self.ca)
        values: dict[str, Value] = {
            "rtt_seconds": page.total,
            "connect_seconds": page.connect,
            "first_byte_seconds": page.first_byte,
            "status": page.status,
        }
        if page.certificate_expires is not None:
            values["certificate_expires_timestamp_seconds"] = page.certificate_expires
        if self._expected(page.status):
            return Reading({"": Part(Outcome.OK, values=values)})
        reason = f"answers {page.status} where {self.status} is expected"
        return Reading({"": Part(Outcome.FAILED, reason, values, refused=True)})


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(literal: str) -> str:
    return f"[{literal}]" if ":" in literal else literal


def _checked(url: str) -> str:
    """Return the host of a URL of http or https; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"no URL of http or https: {url!r:.200}")
    if parts.username is not None:
        raise ValueError("a URL with a user name or password in it is not asked")
    if parts.port == 0:
        raise ValueError(f"no port: {url!r:.200}")
    return parts.hostname
