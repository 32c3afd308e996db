"""Each folder of tests/bad_config lies over the shipped files; expected.txt holds exactly what is said of it."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, check, load
from monitor.data import shipped

CASES = sorted(path for path in (Path(__file__).parents[1] / "bad_config").iterdir() if path.is_dir())
ENVIRON = {"HOME": "/home/operator"}


def _said(overlay: Path) -> str:
    text = "".join(f"{problem}\n" for problem in check(overlay, ENVIRON))
    return text.replace(f"{overlay}/", "").replace(str(shipped("config")), "shipped")


def test_at_least_thirty_kinds_of_bad_config_are_covered() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_problem_is_told_with_its_line(case: Path) -> None:
    assert _said(case) == (case / "expected.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_load_raises_the_same_problems(case: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(case, ENVIRON)
    assert list(caught.value.problems) == check(case, ENVIRON)


def test_a_folder_that_was_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "lambi"
    assert [str(problem) for problem in check(missing, {})] == [
        f"{missing}: no such folder; expected the folder of your configuration"
    ]


def test_too_big_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_text("site: A\n" + "#" * (1 << 20))
    assert "too big; expected at most 1 MiB" in str(check(tmp_path, {})[0])


def test_a_file_that_is_not_text_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_bytes(b"site: A\nvantage:\n  name: \xff\n")
    assert [str(problem) for problem in check(tmp_path, {})] == [
        f"{tmp_path}/lambi.yaml:3: not readable as text; expected UTF-8"
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_no_secret_and_no_address_is_repeated(case: Path) -> None:
    said = _said(case)
    for word in ("hunter2", "admin:secret", "desk@agency", "5550101", "someone@"):
        assert word not in said


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "lambi").write_text("")
    assert [str(problem) for problem in check(tmp_path / "lambi", {})] == [
        f"{tmp_path}/lambi: cannot be read: Not a directory"
    ]


def test_what_may_be_a_login_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text('targets: ["ixp:grex admin:hunter2@192.0.2.1"]\n')
    said = "".join(map(str, check(tmp_path, {})))
    assert "not an IP address" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("public", "ops", "clash"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "127.0.0.1", True),
        ("localhost", "127.0.0.1", True),
        ("127.0.0.1", "::1", False),
        ("192.0.2.1", "127.0.0.1", False),
    ],
)
def test_doors_on_one_port(tmp_path: Path, public: str, ops: str, clash: bool) -> None:
    web = f'web: {{public: {{host: "{public}", port: 9000}}, ops: {{host: "{ops}", port: 9000}}}}\n'
    (tmp_path / "lambi.yaml").write_text(web)
    assert bool(check(tmp_path, {})) is clash


@pytest.mark.parametrize("desk", ["12", "noc24x7@agency.net", "+1 246 417 0000 ext. 12", "☎ 2464170000", "desk"])
def test_no_desk_that_an_sms_cannot_show_or_nobody_can_dial(tmp_path: Path, desk: str) -> None:
    (tmp_path / "lambi.yaml").write_text(f'alerts: {{desk: "{desk}"}}\n')
    (problem,) = check(tmp_path, {})
    assert (problem.path, problem.message) == ("alerts.desk", "nothing that can be dialled from an SMS")


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hunter2@gw.agency.net/",
        "http://hunter2@gw.agency.net",
        "http://u:/hunter2@gw.agency.net/",
        "http://gw.agency.net/?password=hunter2",
        "http://gw.agency.net/?user=u&PASS=hunter2",
        "http://gw.agency.net/?a=1;api_key=hunter2",
        "http://gw.agency.net/?p%61ssword=hunter2",
    ],
)
def test_a_secret_in_a_channels_address_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    row = f'{{kind: kannel, enabled: true, url: "{url}", username: u, password: {{env: HOME}}}}'
    (tmp_path / "lambi.yaml").write_text(f"channels: {{gateway: {row}}}\n")
    (problem,) = check(tmp_path, ENVIRON)
    assert problem.path == "channels.gateway.url"
    assert "{env: NAME} or {file: /path}" in problem.expected
    assert "hunter2" not in str(problem)
