"""Pure: labels of an alert, and matchers over them as Alertmanager writes them: kind=cable, territory=~"BB|LC"."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from alerting.model import Alert

Labels = Mapping[str, str]
_MATCHER = re.compile(
    r"""\s*(?P<label>[A-Za-z_][A-Za-z0-9_.-]*)\s*(?P<how>=~|!~|!=|=)\s*(?P<value>"[^"]*"|[^"]*?)\s*"""
)
_LONGEST = 300
_OPEN = re.compile(r"(?<!\\)[*+{]")
"""What repeats in an expression."""
_NESTED = re.compile(r"(?<!\\)\)[*+{?]")
"""A group that repeats: the way to an expression that never ends."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition; ``how`` is =, !=, =~ or !~; an expression must match the whole value. No label is as empty."""

    label: str
    how: str
    value: str

    def matches(self, labels: Labels) -> bool:
        """Whether the labels fulfil it."""
        found = labels.get(self.label, "")[:_LONGEST]
        same = bool(_expression(self.value).fullmatch(found)) if "~" in self.how else found == self.value
        return same != self.how.startswith("!")

    def __str__(self) -> str:
        """Return it as people write it."""
        return f'{self.label}{self.how}"{self.value}"'


@lru_cache(maxsize=1024)
def _expression(value: str) -> re.Pattern[str]:
    return re.compile(value, re.DOTALL)


def parse(text: str) -> Matcher:
    """Read one matcher; raises ValueError with a sentence."""
    match = _MATCHER.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise ValueError(f'"{text[:60]}" is no matcher; expected like kind=cable, kind!=website, territory=~"BB|LC"')
    return checked(Matcher(match["label"], match["how"], match["value"].strip('"')))


def checked(matcher: Matcher) -> Matcher:
    """Return a matcher that can be used; raises ValueError. An expression that could take for ever is refused."""
    if "~" not in matcher.how:
        return matcher
    if len(matcher.value) > _LONGEST or _NESTED.search(matcher.value) or len(_OPEN.findall(matcher.value)) > 2:
        raise ValueError(f'"{matcher.value[:60]}": at most two of * + {{}} in an expression, and none after a group')
    try:
        _expression(matcher.value)
    except re.error as error:
        raise ValueError(f'"{matcher.value[:60]}" is no expression: {error}') from None
    return matcher


def matches(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether all are fulfilled."""
    return all(one.matches(labels) for one in matchers)


def labels(alert: Alert) -> dict[str, str]:
    """Return what can be matched and grouped by: the alert's own labels, and over them what we know of it.

    A severity in the words of who reported it stays as it is; routes begin at ours (`at_least`).
    """
    known = {
        "incident": alert.incident,
        "kind": alert.kind,
        "asset": alert.asset,
        "territory": alert.territory,
    }
    given = {"severity": alert.severity.value, **alert.labels}
    return {**given, **{name: value for name, value in known.items() if value}}
