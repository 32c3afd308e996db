"""Whatever stands in the files: settings or problems, never a traceback."""

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import check, load
from monitor.config.inventory import TABLES
from monitor.config.nodes import UnreadableError, parse_yaml
from monitor.config.schema import FILES
from monitor.data import shipped
from tests.counts import soak

pytestmark = pytest.mark.timeout(soak(ci=120, soak=7_200))
EXAMPLES = soak(ci=15, soak=1_000)
PARSED = soak(ci=150, soak=50_000)
SHIPPED = {name: shipped(f"config/{name}").read_text(encoding="utf-8") for name in FILES if name != "targets.yaml"}
TABLE_TEXTS = {
    table.file: shipped(f"config/inventory/{table.file}").read_text(encoding="utf-8").splitlines()[:5]
    for table in TABLES.values()
}
PIECES = [
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!x ",
    ": ",
    "- ",
    "\n",
    "\t",
    "null",
    "~",
    "<<: *a",
    "-1",
    "1e999",
]
PIECES += [
    "é",
    "\x00",
    "\ud7ff",
    "9" * 30,
    "0x",
    "%",
    "|",
    ">",
    "?",
    "---\n",
    "...\n",
    "remove: true",
    "@",
    "`",
    ",",
    "\r",
]
KEYS = sorted(
    {key for parts in FILES.values() for key in parts}
    | {"references", "id", "name", "remove", "any", "dns", "settings"}
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(KEYS),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), below, max_size=4)
    ),
    max_leaves=12,
)
QUICK = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _loads_or_says_why(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inventory").mkdir()
        for file, text in files.items():
            (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
        problems = check(folder, {})
        assert all(str(problem) for problem in problems)
        if not problems:
            load(folder, {})


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A shipped file with a few words cut, doubled or replaced."""
    name = draw(st.sampled_from(sorted(SHIPPED)))
    text = SHIPPED[name]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.just(text[start:end] * 2)) + text[end:]
    return name, text


@QUICK
@given(mutated())
def test_a_mutated_file_is_loaded_or_explained(file: tuple[str, str]) -> None:
    _loads_or_says_why({file[0]: file[1]})


@QUICK
@given(st.sampled_from(sorted(FILES)), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_values_are_loaded_or_explained(name: str, values: dict[str, object]) -> None:
    _loads_or_says_why({name: yaml.safe_dump(values, allow_unicode=True)})


@QUICK
@given(st.sampled_from(sorted(TABLE_TEXTS)), st.data())
def test_any_table_is_loaded_or_explained(name: str, data: st.DataObject) -> None:
    lines = list(TABLE_TEXTS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[number].split(",")
        cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(st.text(max_size=20) | st.sampled_from(PIECES))
        lines[number] = ",".join(cells)
    _loads_or_says_why({f"inventory/{name}": "\n".join(lines)})


@settings(max_examples=PARSED, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "a", "b: ", "x"]) | st.text(max_size=4), max_size=40).map("".join))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        problems = parse_yaml(text, "x.yaml")[1]
    except UnreadableError as error:
        problems = [error.problem]
    assert all(problem.file == "x.yaml" for problem in problems)


@settings(max_examples=PARSED, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5), st.recursive(st.text(max_size=8), st.lists, max_leaves=6), max_size=4
    )
)
def test_what_was_written_is_read(values: dict[str, object]) -> None:
    text = yaml.safe_dump(values, default_style='"', allow_unicode=True)
    assert parse_yaml(text, "x.yaml")[0].plain() == values
