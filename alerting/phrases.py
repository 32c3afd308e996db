"""Pure: the fixed words of an alert by SMS, in six languages; what is down and why is said as the line says it.

All but English are drafts that no native speaker has read yet (`catalogue.READ`).
"""

from collections.abc import Mapping
from string import Formatter

ORDER = ("en", "es", "fr", "nl", "ht", "pap")
_TABLE: Mapping[str, tuple[str, ...]] = {
    "info": ("INFO", "INFO", "INFO", "INFO", "ENFO", "INFO"),
    "warning": ("WARNING", "AVISO", "ALERTE", "WAARSCHUWING", "AVÈTISMAN", "AVISO"),
    "major": ("MAJOR", "GRAVE", "MAJEUR", "ERNSTIG", "GRAV", "GRAVE"),
    "critical": ("CRITICAL", "CRITICO", "CRITIQUE", "KRITIEK", "KRITIK", "KRÍTIKO"),
    "NOW": ("NOW {word}", "AHORA {word}", "MAINTENANT {word}", "NU {word}", "KOUNYE A {word}", "AWOR {word}"),
    "STILL": ("STILL {word}", "SIGUE {word}", "TOUJOURS {word}", "NOG STEEDS {word}", "TOUJOU {word}", "AINDA {word}"),
    "OVER": ("OVER", "TERMINADO", "TERMINÉ", "VOORBIJ", "FINI", "TERMINÁ"),
    "TEST": ("TEST", "PRUEBA", "TEST", "TEST", "TÈS", "TEST"),
    "(repeat)": ("(repeat)", "(repetido)", "(répété)", "(herhaling)", "(repete)", "(ripití)"),
    "since": ("since {at}", "desde {at}", "depuis {at}", "sinds {at}", "depi {at}", "for di {at}"),
    "was": (
        "was {state} {a} to {b}",
        "{state} de {a} a {b}",
        "{state} de {a} à {b}",
        "{state} van {a} tot {b}",
        "{state} depi {a} rive {b}",
        "{state} di {a} te {b}",
    ),
    "down": ("down", "caído", "en panne", "uitgevallen", "tonbe", "abou"),
    "degraded": ("degraded", "degradado", "dégradé", "verslechterd", "febli", "degradá"),
    "cut off": ("cut off", "aislado", "isolé", "afgesloten", "koupe", "isolá"),
    "firing": ("firing", "activo", "actif", "actief", "aktif", "aktivo"),
    "now": ("now {how}", "ahora {how}", "maintenant {how}", "nu {how}", "kounye a {how}", "awor {how}"),
    "up": ("up", "bien", "rétabli", "hersteld", "refè", "bon"),
    "answers again": (
        "answers again",
        "responde de nuevo",
        "répond à nouveau",
        "antwoordt weer",
        "reponn ankò",
        "ta kontestá atrobe",
    ),
    "resolved": ("resolved", "resuelto", "résolu", "opgelost", "rezoud", "resolvé"),
    "no longer reported": (
        "no longer reported",
        "ya no se informa",
        "plus signalé",
        "niet meer gemeld",
        "yo pa siyale l ankò",
        "no ta raportá mas",
    ),
    "it was reported only when it was over": (
        "it was reported only when it was over",
        "se informó cuando ya había terminado",
        "signalé seulement une fois terminé",
        "pas gemeld toen het voorbij was",
        "yo te siyale l lè l te fini deja",
        "a raport'é ora e tabata pasá kaba",
    ),
    "this site was cut off": (
        "you were not told because this site was cut off",
        "no se le avisó: este sitio estaba aislado",
        "pas prévenu: ce site était isolé",
        "niet gemeld: deze locatie was afgesloten",
        "nou pa t ka avèti w: sit sa a te koupe",
        "bo no a haña notisia: e sitio aki tabata isolá",
    ),
    "could not be delivered": (
        "the message could not be delivered earlier",
        "el mensaje no se pudo entregar antes",
        "le message n'a pas pu être remis plus tôt",
        "het bericht kon niet eerder worden bezorgd",
        "mesaj la pa t ka rive pi bonè",
        "e mensahe no por a yega mas trempan",
    ),
    "Desk": (
        "Desk {number}",
        "Guardia {number}",
        "Permanence {number}",
        "Dienst {number}",
        "Biwo {number}",
        "Desk {number}",
    ),
    "test": (
        "from Lambi at {site}: no incident, nothing to do. Sent {at}.",
        "de Lambi en {site}: no hay incidente, nada que hacer. Enviado {at}.",
        "de Lambi, {site}: aucun incident, rien à faire. Envoyé {at}.",
        "van Lambi, {site}: geen incident, niets te doen. Verzonden {at}.",
        "soti nan Lambi, {site}: pa gen ensidan, pa gen anyen pou fè. Voye {at}.",
        "di Lambi na {site}: no tin insidente, no tin nada di hasi. Mandá {at}.",
    ),
}


def phrase(key: str, language: str, **facts: str) -> str:
    """Return a phrase; a language or a key that is not here is said in English, or as it stands."""
    texts = _TABLE.get(key)
    if texts is None:
        return key
    return texts[ORDER.index(language) if language in ORDER else 0].format(**facts)


def lint() -> list[str]:
    """Return what is wrong: a language that lacks, or names other facts than English."""
    problems = [
        f"{key}: {len(texts)} of {len(ORDER)} languages" for key, texts in _TABLE.items() if len(texts) != len(ORDER)
    ]
    for key, texts in _TABLE.items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
        problems += [f"{key}: {one} differs" for one, found in zip(ORDER, names, strict=False) if found != names[0]]
        problems += [f"{key}: {one} is empty" for one, text in zip(ORDER, texts, strict=False) if not text.strip()]
    return problems
