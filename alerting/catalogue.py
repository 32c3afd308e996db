"""Pure: every fixed text that leaves by SMS and mail, in six languages, with a check that none is missing.

The texts stand in `alerting.languages`, a module for each; what people and devices wrote is said as they wrote it.
"""

from collections.abc import Mapping
from string import Formatter

from alerting.gsm import ONE_PART, fold, septets
from alerting.languages import en, es, fr, ht, nl, pap

Texts = Mapping[str, Mapping[str, str]]

READ: Texts = {
    "en": en.READ,
    "es": es.READ,
    "fr": fr.READ,
    "nl": nl.READ,
    "ht": ht.READ,
    "pap": pap.READ,
}
"""What a native speaker has read, by language."""
DRAFTS: Texts = {
    "en": en.DRAFT,
    "es": es.DRAFT,
    "fr": fr.DRAFT,
    "nl": nl.DRAFT,
    "ht": ht.DRAFT,
    "pap": pap.DRAFT,
}
"""What no native speaker has read yet."""
TEXTS: Texts = {name: {**DRAFTS[name], **READ[name]} for name in READ}
LANGUAGES = tuple(TEXTS)
ENGLISH = TEXTS["en"]
ANSWERS = tuple(ENGLISH)[tuple(ENGLISH).index("acked") :]
"""Keys of what is said in return: each fits one short message."""
WIDEST = {
    "ref": "B47110-KT",
    "step": "12",
    "minutes": "240",
    "letters": "KTMP",
    "site": "Bridgetown",
    "contact": "x" * 16,
}
"""The longest that facts of an answer are."""


def say(key: str, language: str, **facts: object) -> str:
    """Return a fixed text with its facts; a language that is not here is answered in English."""
    return TEXTS.get(language, ENGLISH).get(key, ENGLISH[key]).format(**facts)


def known(words: str, language: str) -> str:
    """Translate words that are their own key, such as "answers again"; others are returned as they stand."""
    return say(words, language) if ENGLISH.get(words) == words else words


def names(text: str) -> set[str]:
    """Return which facts a text names."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def lint(read: Texts = READ, drafts: Texts = DRAFTS) -> list[str]:
    """Return what is wrong: a language that lacks a text or has one too many, other facts, an answer too long."""
    english = {**drafts["en"], **read["en"]}
    problems = []
    for language in read:
        texts = {**drafts[language], **read[language]}
        both = read[language].keys() & drafts[language].keys()
        problems += [f"{key}: {language} has it read and as a draft" for key in sorted(both)]
        problems += [f"{key}: {language} is missing" for key in english if not texts.get(key, "").strip()]
        for key, text in texts.items():
            if key not in english:
                problems.append(f"{key}: {language} alone has it")
            elif names(text) != names(english[key]):
                problems.append(f"{key}: {language} names other facts than English")
            elif key in ANSWERS and (long := septets(fold(text.format(**WIDEST)))) > ONE_PART:
                problems.append(f"{key}: {language} has {long} characters, one SMS has {ONE_PART}")
    return problems


def drafts() -> dict[str, int]:
    """Count by language the texts that no native speaker has read yet."""
    return {name: len(texts) for name, texts in DRAFTS.items() if texts}
