"""The Containerfile keeps to what is known to be good: pinned, small, nobody's root, and it copies what there is."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Containerfile").read_text()
KNOWN = {"FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def steps() -> list[tuple[str, str]]:
    """Return each instruction with its words, continued lines joined."""
    plain = re.sub(r"\\\n\s*", "", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#")))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in plain.splitlines() if line)]


def test_every_instruction_is_known() -> None:
    assert {word for word, _ in steps()} <= KNOWN


def test_the_base_is_named_in_full_and_its_release_pinned() -> None:
    bases = [rest.split()[0] for word, rest in steps() if word == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"docker\.io/library/debian:1[23]-slim", bases[0])


def test_it_runs_as_nobody_s_root() -> None:
    last = [rest for word, rest in steps() if word in {"FROM", "USER"}][-1]
    assert last == "lambi"
    after = [word for word, _ in steps()][[word for word, _ in steps()].index("USER") :]
    assert "RUN" not in after


def test_packages_come_by_hash_or_by_debian_and_leave_nothing_behind() -> None:
    for word, rest in steps():
        if word != "RUN":
            continue
        if "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        for call in re.findall(r"pip install [^&]+", rest):
            words = shlex.split(call)
            assert "--no-cache-dir" in words
            assert "--require-hashes" in words or {"--no-index", "--no-deps"} <= set(words)
        assert "curl" not in rest
        assert "wget" not in rest


def test_it_copies_what_there_is_or_what_make_dist_makes() -> None:
    for word, rest in steps():
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert source.startswith("dist/lambi-") or (ROOT / source).exists()
    assert "make dist" in TEXT


def test_the_last_words_are_lists_and_its_health_is_looked_at() -> None:
    said = dict(steps())
    assert said["ENTRYPOINT"].startswith("[")
    assert said["CMD"].startswith("[")
    assert "/healthz" in said["HEALTHCHECK"]
