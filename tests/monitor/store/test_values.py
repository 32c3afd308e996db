import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store.day import DayFile
from monitor.store.newest import latest
from monitor.store.rows import pack, unpack
from probes.model import Value
from tests.counts import soak
from tests.monitor.store.looks import COLUMNS, NOON, look

KEYS = st.sampled_from(["rtt_seconds", "ttl", "soa_serial", "nsid", "x'y\"; --", "", "at"])
VALUES: st.SearchStrategy[Value] = st.one_of(st.integers(), st.floats(), st.text(st.characters(exclude_categories=())))


@given(value=st.floats(0, 1e6), scale=st.sampled_from([1e-6, 1e-3, 0.01, 1.0, 8.0]))
def test_a_number_comes_back_within_half_a_step(value: float, scale: float) -> None:
    stored = pack(value, scale)
    assert isinstance(stored, int)
    assert math.isclose(float(unpack(stored, scale)), value, rel_tol=1e-12, abs_tol=scale / 2 * 1.0001)


@given(value=st.integers(-(2**63), 2**63 - 1))
def test_a_counter_comes_back_exactly(value: int) -> None:
    stored = pack(value, 1.0)
    assert stored is not None
    assert unpack(stored, 1.0) == value


@settings(max_examples=soak(ci=100, soak=20_000), deadline=None)
@given(st.lists(st.dictionaries(KEYS, VALUES), max_size=5), st.sampled_from(["icmp", "dns"]))
def test_whatever_a_target_says_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, Value]], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("day")
    file = DayFile(folder / "2026-11-23.sqlite", NOON.date(), COLUMNS)
    file.write(look(n, check=f"c{n}/{kind}/", kind=kind, values=each) for n, each in enumerate(values))
    file.close()
    rows = {row.check: row for row in latest(file.path, NOON.date()).values()}
    assert len(rows) == len(values)
    for n, each in enumerate(values):
        kept = {key for key, value in each.items() if not (isinstance(value, float) and math.isnan(value))}
        assert set(rows[f"c{n}/{kind}/"].values) == kept
