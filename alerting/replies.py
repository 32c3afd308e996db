"""Pure: what somebody meant by a short answer. Tolerant of case, spaces, punctuation, accents and language."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from alerting.model import Act

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of codes: consonants alone spell no word in any language."""
WAIT_MINUTES = 30
"""What W alone asks for."""
MOST = 480
"""Letters of an answer that are read."""

WORDS: dict[Act, str] = {
    Act.ACK: "A ACK ACKNOWLEDGE ACKNOWLEDGED OK OKAY YES TAKEN SI ACEPTO ACEPTAR RECIBIDO OUI ACCEPTE RECU JA AKKOORD "
    "ONTVANGEN WI AKSEPTE RESEVWA ASEPTA ACEPTA RISIBI",
    Act.NEXT: "N NEXT SIGUIENTE PROXIMO SUIVANT SUIVANTE VOLGENDE SWIVAN PWOCHEN SIGUIENTE PROKSIMO",
    Act.DONE: "D DONE HECHO LISTO FAIT FINI KLAAR GEDAAN FET HASI KLA",
    Act.WAIT: "W WAIT ESPERA ESPERAR ATTENDS ATTENDRE ATTENDEZ WACHT TANN WARDA SPERA",
    Act.REPEAT: "? REPEAT REPITE REPETIR REPETER REPETEZ HERHAAL REPETE RIPITI",
    Act.HELP: "H HELP AYUDA AIDE HULP ED YUDA",
    Act.RESOLVE: "R RESOLVED RESUELTO RESOLU OPGELOST REZOUD RESOLVI",
}
MEANINGS = {word: act for act, words in WORDS.items() for word in words.split()}
_RUN = re.compile(r"[A-Z]+|[0-9]+|\?")
_CODE = re.compile(rf"[{LETTERS}]{{2}}")
_PROOF = re.compile(rf"(?<![A-Z0-9])[{LETTERS}]{{4}}(?![A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer says."""

    incident: str = ""
    """Its number as written, or ""."""
    code: str = ""
    """The two letters beside it, right or wrong, or ""."""
    what: Act | None = None
    step: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters, digits or a question mark in a row."""

    text: str
    glued: bool
    """Nothing stands between it and the one before."""

    @property
    def number(self) -> bool:
        return self.text.isdecimal()


def plain(text: str) -> str:
    """Bring a text into capitals without accents."""
    letters = unicodedata.normalize("NFKD", text[:MOST])
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).upper()


def proofs(text: str) -> list[str]:
    """Return what may be the four letters that confirm an address."""
    return _PROOF.findall(plain(text))


def parse(text: str) -> Asked:
    """Read an answer: "4711-KT A", "4711kt d3", "kt ok", "W30"; what is not understood stays empty."""
    runs = list(_runs(plain(text)))
    at = _reference(runs)
    if at is None:
        code = next((run.text for run in runs if _is_code(run)), "")
        return _act([run for run in runs if run.text != code], "", code)
    before, incident, rest = runs[:at], runs[at].text, runs[at + 1 :]
    if runs[at].glued and before and len(before[-1].text) == 1 and before[-1].text.isalpha():
        incident, before = before[-1].text + incident, before[:-1]
    code, rest = _code(rest)
    if not code and before and _is_code(before[-1]):
        code, before = before[-1].text, before[:-1]
    return _act(rest or before, incident, code)


def _runs(text: str) -> Iterator[_Run]:
    end = -1
    for match in _RUN.finditer(text):
        yield _Run(match[0], match.start() == end)
        end = match.end()


def _is_code(run: _Run) -> bool:
    return bool(_CODE.fullmatch(run.text)) and run.text not in MEANINGS


def _reference(runs: list[_Run]) -> int | None:
    """Find the number of the incident: the one beside a code, else the first that is no step and no time."""
    numbers = [n for n, run in enumerate(runs) if run.number and len(run.text) <= 9]
    beside = [n for n in numbers if _code(runs[n + 1 :])[0] or (n and _is_code(runs[n - 1]))]
    free = [n for n in numbers if not (n and MEANINGS.get(runs[n - 1].text) in {Act.DONE, Act.WAIT})]
    return next(iter(beside + free), None)


def _code(rest: list[_Run]) -> tuple[str, list[_Run]]:
    """Take the two letters that follow a number, also where the answer is glued to them: "KTA"."""
    if not rest or rest[0].number or rest[0].text in MEANINGS:
        return "", rest
    word = rest[0].text
    if _CODE.fullmatch(word):
        return word, rest[1:]
    if _CODE.match(word) and word[2:] in MEANINGS:
        return word[:2], [_Run(word[2:], glued=True), *rest[1:]]
    return "", rest


def _act(runs: list[_Run], incident: str, code: str) -> Asked:
    """Find the first word that means something, and its number; in the midst of a sentence a letter means nothing."""
    for n, run in enumerate(runs):
        act = MEANINGS.get(run.text)
        if act is None or (n and len(run.text) == 1 and run.text != "?"):
            continue
        following = runs[n + 1] if n + 1 < len(runs) else None
        number = int(following.text) if following and following.number and len(following.text) <= 4 else None
        if act is Act.DONE:
            return Asked(incident, code, act, step=number or None)
        if act is Act.WAIT:
            return Asked(incident, code, act, minutes=number or WAIT_MINUTES)
        return Asked(incident, code, act)
    return Asked(incident, code)
