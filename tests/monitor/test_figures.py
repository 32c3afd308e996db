"""Values in words."""

import pytest

from monitor import figures
from tests.fakes import START


@pytest.mark.parametrize(
    ("key", "low", "high", "words"),
    [
        ("rtt_seconds", 0.0583, 0.0711, "58 to 71 ms"),
        ("rtt_seconds", 0.0623, 0.0624, "62 ms"),
        ("rtt_seconds", 0.00031, 0.0012, "0.31 to 1.2 ms"),
        ("rtt_seconds", 0.9, 1.25, "0.9 to 1.2 s"),
        ("loss_ratio", 0.0, 0.02, "0 to 2 %"),
        ("prefixes_visible", 58.0, 60.0, "58 to 60"),
        ("if_in_octets_per_second", 0.0, 100.0, "0 to 800 bit/s"),
        ("if_in_octets_per_second", 3e8, 3.4e8, "2.4 to 2.7 Gbit/s"),
    ],
)
def test_a_range(key: str, low: float, high: float, words: str) -> None:
    assert figures.between(key, low, high) == words


@pytest.mark.parametrize(
    ("key", "value", "usual", "words"),
    [
        ("if_in_octets_per_second", 150e6, 325e6, "half the traffic is gone: 1.2 of usually 2.6 Gbit/s"),
        ("if_in_octets_per_second", 130e6, 325e6, "more than half the traffic is gone: 1 of usually 2.6 Gbit/s"),
        ("if_in_octets_per_second", 50e6, 325e6, "most of the traffic is gone: 0.4 of usually 2.6 Gbit/s"),
        ("if_in_octets_per_second", 0, 325e6, "nearly all the traffic is gone: 0 of usually 2.6 Gbit/s"),
        ("prefixes_visible", 40, 60, "part of the visible prefixes are gone: 40 of usually 60"),
    ],
)
def test_what_is_gone(key: str, value: float, usual: float, words: str) -> None:
    assert figures.gone(key, value, usual) == words


def test_what_is_more_than_usual() -> None:
    slow = figures.more("rtt_seconds", 0.412, 0.058, 0.071, ever=True)
    assert slow == "slower than ever: rtt 412 ms, usually 58 to 71 ms at this hour"
    lossy = figures.more("loss_ratio", 0.35, 0.0, 0.02, ever=False)
    assert lossy == "more loss than usual: 35 %, usually 0 to 2 % at this hour"


def test_a_lasting_change() -> None:
    words = "the usual rtt changed from 62 ms to 118 ms on 1 Sep 2026"
    assert figures.changed("rtt_seconds", 0.062, 0.118, START) == words
