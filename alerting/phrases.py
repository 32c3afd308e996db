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
    "EXERCISE": ("EXERCISE", "SIMULACRO", "EXERCICE", "OEFENING", "EGZÈSIS", "EHERSISIO"),
    "exercise": (
        "This is an exercise: nothing is really down. Please answer as if it were real.",
        "Esto es un simulacro: nada ha caído de verdad. Responda como si fuera real.",
        "Ceci est un exercice: rien n'est vraiment en panne. Répondez comme si c'était réel.",
        "Dit is een oefening: er is niets echt uitgevallen. Antwoord alsof het echt was.",
        "Sa se yon egzèsis: anyen pa tonbe tout bon. Reponn tankou si se te vre.",
        "Esaki ta un ehersisio: nada no a kai di bèrdat. Kontestá komo si ta di bèrdat.",
    ),
    "exercise over": (
        "The exercise is over; nothing was really down. Thank you.",
        "El simulacro ha terminado; nada cayó de verdad. Gracias.",
        "L'exercice est terminé; rien n'était vraiment en panne. Merci.",
        "De oefening is voorbij; er was niets echt uitgevallen. Dank u.",
        "Egzèsis la fini; anyen pa t tonbe tout bon. Mèsi.",
        "E ehersisio a terminá; nada no a kai di bèrdat. Danki.",
    ),
    "exercise broken off": (
        "The exercise is broken off, for there is a real incident: its messages do not say EXERCISE.",
        "El simulacro se interrumpe: hay un incidente real, y sus mensajes no dicen SIMULACRO.",
        "L'exercice est interrompu: il y a un incident réel, dont les messages ne disent pas EXERCICE.",
        "De oefening is afgebroken: er is een echt incident; berichten daarover zeggen niet OEFENING.",
        "Egzèsis la kanpe: gen yon ensidan tout bon; mesaj li yo pa di EGZESIS.",
        "E ehersisio ta interumpí: tin un insidente di bèrdat; su mensahenan no ta bisa EHERSISIO.",
    ),
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
