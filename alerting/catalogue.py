"""Pure: the fixed texts of answers, in six languages; each fits one SMS of GSM-7 as it stands.

`READ`: languages whose texts a native speaker has read. The others are drafts: understandable, not yet checked.
"""

from collections.abc import Mapping
from string import Formatter

from alerting.gsm import ONE_PART, fold, septets

READ = frozenset({"en"})

TEXTS: Mapping[str, Mapping[str, str]] = {
    "acked": {
        "en": "{ref}: thank you, your acknowledgement is noted. N: next step. H: help.",
        "es": "{ref}: gracias, su aviso de recibo esta anotado. N: paso siguiente. H: ayuda.",
        "fr": "{ref}: merci, votre prise en charge est notée. N: étape suivante. H: aide.",
        "nl": "{ref}: dank u, uw bevestiging is genoteerd. N: volgende stap. H: hulp.",
        "ht": "{ref}: mèsi, nou note ou pran l an chaj. N: pwochen etap. H: èd.",
        "pap": "{ref}: danki, bo konfirmashon ta notá. N: siguiente paso. H: yudansa.",
    },
    "acked before": {
        "en": "{ref}: you had acknowledged it already; thank you.",
        "es": "{ref}: usted ya lo habia confirmado; gracias.",
        "fr": "{ref}: vous l'aviez déjà confirmé; merci.",
        "nl": "{ref}: u had dit al bevestigd; dank u.",
        "ht": "{ref}: ou te deja konfime l; mèsi.",
        "pap": "{ref}: bo a konfirm'é kaba; danki.",
    },
    "acked over": {
        "en": "{ref} is over; nothing more to do. Thank you.",
        "es": "{ref} ya termino; no hay nada mas que hacer. Gracias.",
        "fr": "{ref} est terminé; il n'y a plus rien à faire. Merci.",
        "nl": "{ref} is voorbij; er is niets meer te doen. Dank u.",
        "ht": "{ref} fini; pa gen anyen ankò pou fè. Mèsi.",
        "pap": "{ref} a terminá; no tin nada mas di hasi. Danki.",
    },
    "done": {
        "en": "{ref}: step {step} is noted as done. N: next step.",
        "es": "{ref}: paso {step} anotado como hecho. N: paso siguiente.",
        "fr": "{ref}: étape {step} notée comme faite. N: étape suivante.",
        "nl": "{ref}: stap {step} genoteerd als gedaan. N: volgende stap.",
        "ht": "{ref}: etap {step} fèt, nou note l. N: pwochen etap.",
        "pap": "{ref}: paso {step} notá komo hasí. N: siguiente paso.",
    },
    "done before": {
        "en": "{ref}: step {step} was done already. N: next step.",
        "es": "{ref}: el paso {step} ya estaba hecho. N: paso siguiente.",
        "fr": "{ref}: l'étape {step} était déjà faite. N: étape suivante.",
        "nl": "{ref}: stap {step} was al gedaan. N: volgende stap.",
        "ht": "{ref}: etap {step} te deja fèt. N: pwochen etap.",
        "pap": "{ref}: paso {step} tabata hasí kaba. N: siguiente paso.",
    },
    "waiting": {
        "en": "{ref}: noted; we call you again in {minutes} min if it lasts.",
        "es": "{ref}: anotado; le avisamos de nuevo en {minutes} min si continua.",
        "fr": "{ref}: noté; nous vous rappelons dans {minutes} min si cela dure.",
        "nl": "{ref}: genoteerd; duurt het voort, dan hoort u over {minutes} min weer van ons.",
        "ht": "{ref}: nou note l; n ap rele w ankò nan {minutes} min si sa kontinye.",
        "pap": "{ref}: notá; nos ta yama bo atrobe den {minutes} min si e ta sigui.",
    },
    "proposed": {
        "en": "{ref}: noted that you think it is over. It ends when probes or another agency agree.",
        "es": "{ref}: anotado que usted lo cree resuelto. Termina cuando las sondas u otra agencia lo confirmen.",
        "fr": "{ref}: noté: résolu selon vous. Fin quand les sondes ou une autre agence confirment.",
        "nl": "{ref}: genoteerd: volgens u opgelost. Het eindigt als metingen of een andere instantie het bevestigen.",
        "ht": "{ref}: nou note ou panse l rezoud. L ap fini lè sond yo oswa yon lòt ajans dakò.",
        "pap": "{ref}: notá ku segun bo e ta resolvé. E ta terminá ora midimentu òf otro agensia konfirmá.",
    },
    "resolved": {
        "en": "{ref}: two agencies say it is over; nobody is called any more. The probes decide when it closes.",
        "es": "{ref}: dos agencias dicen que termino; no se llama a nadie mas. Las sondas deciden el cierre.",
        "fr": "{ref}: deux agences le disent résolu; plus d'appels. Les sondes décident de la clôture.",
        "nl": "{ref}: twee instanties zeggen dat het voorbij is; er wordt niemand meer gebeld.",
        "ht": "{ref}: de ajans di l fini; nou pa rele pèsonn ankò. Sond yo ap deside.",
        "pap": "{ref}: dos agensia ta bisa ku e a terminá; no ta yama niun hende mas.",
    },
    "no step": {
        "en": "{ref}: that was the last step. D and a number: step done. H: help.",
        "es": "{ref}: ese era el ultimo paso. D y un numero: paso hecho. H: ayuda.",
        "fr": "{ref}: c'était la dernière étape. D et un numéro: étape faite. H: aide.",
        "nl": "{ref}: dat was de laatste stap. D en een nummer: stap gedaan. H: hulp.",
        "ht": "{ref}: se te dènye etap la. D ak yon nimewo: etap fèt. H: èd.",
        "pap": "{ref}: esei tabata e delaster paso. D i un number: paso hasí. H: yudansa.",
    },
    "which step": {
        "en": "{ref}: which step is done? Answer {ref} D and its number, such as D3.",
        "es": "{ref}: que paso esta hecho? Responda {ref} D y su numero, como D3.",
        "fr": "{ref}: quelle étape est faite? Répondez {ref} D et son numéro, comme D3.",
        "nl": "{ref}: welke stap is gedaan? Antwoord {ref} D en het nummer, zoals D3.",
        "ht": "{ref}: ki etap ki fèt? Reponn {ref} D ak nimewo a, tankou D3.",
        "pap": "{ref}: kua paso ta hasí? Kontestá {ref} D i su number, manera D3.",
    },
    "help": {
        "en": "{ref} and: A acknowledge, N next step, D3 step 3 done, W30 wait 30 min, ? repeat, R it is over.",
        "es": "{ref} y: A confirmar, N paso siguiente, D3 paso 3 hecho, W30 esperar 30 min, ? repetir, R resuelto.",
        "fr": "{ref} et: A confirmer, N étape suivante, D3 étape 3 faite, W30 attendre 30 min, ? répéter, R résolu.",
        "nl": "{ref} en: A bevestigen, N volgende stap, D3 stap 3 gedaan, W30 wacht 30 min, ? herhalen, R opgelost.",
        "ht": "{ref} ak: A konfime, N pwochen etap, D3 etap 3 fèt, W30 tann 30 min, ? repete, R rezoud.",
        "pap": "{ref} i: A konfirmá, N siguiente paso, D3 paso 3 hasí, W30 warda 30 min, ? ripití, R resolvé.",
    },
    "code": {
        "en": "Please begin with the number and letters of our message, such as 4711-KT A. Nothing was changed.",
        "es": "Empiece con el numero y las letras de nuestro mensaje, como 4711-KT A. No se ha cambiado nada.",
        "fr": "Commencez par le numéro et les lettres de notre message, comme 4711-KT A. Rien n'a changé.",
        "nl": "Begin met het nummer en de letters van ons bericht, zoals 4711-KT A. Er is niets gewijzigd.",
        "ht": "Kòmanse ak nimewo ak lèt ki nan mesaj nou an, tankou 4711-KT A. Anyen pa chanje.",
        "pap": "Kuminsá ku e number i e lètèrnan di nos mensahe, manera 4711-KT A. Nada no a kambia.",
    },
    "wrong": {
        "en": "These letters do not fit. Please look at our message and answer again. Nothing was changed.",
        "es": "Estas letras no coinciden. Mire nuestro mensaje y responda de nuevo. No se ha cambiado nada.",
        "fr": "Ces lettres ne correspondent pas. Regardez notre message et répondez encore. Rien n'a changé.",
        "nl": "Deze letters kloppen niet. Kijk in ons bericht en antwoord opnieuw. Er is niets gewijzigd.",
        "ht": "Lèt sa yo pa bon. Gade mesaj nou an epi reponn ankò. Anyen pa chanje.",
        "pap": "E lètèrnan aki no ta kuadra. Wak nos mensahe i kontestá atrobe. Nada no a kambia.",
    },
    "locked": {
        "en": "Three times the wrong letters: answers from here no longer count for it. Please call the duty desk.",
        "es": "Tres veces letras equivocadas: las respuestas de aqui ya no cuentan. Llame a la mesa de guardia.",
        "fr": "Trois fois de mauvaises lettres: les réponses d'ici ne comptent plus. Appelez la permanence.",
        "nl": "Drie keer verkeerde letters: antwoorden van hier tellen niet meer. Bel de meldkamer.",
        "ht": "Twa fwa move lèt: repons ki soti isit la pa konte ankò. Rele biwo sèvis la.",
        "pap": "Tres biaha lètèr robes: kontesta for di aki no ta konta mas. Yama e desk di warda.",
    },
    "verify": {
        "en": "Lambi at {site}: this number stands for {contact}. To confirm, answer {letters}. If not you, ignore.",
        "es": "Lambi en {site}: este numero figura para {contact}. Para confirmar responda {letters}. Si no, ignore.",
        "fr": "Lambi, {site}: ce numéro est celui de {contact}. Pour confirmer, répondez {letters}. Sinon, ignorez.",
        "nl": "Lambi, {site}: dit nummer staat bij {contact}. Bevestig met het antwoord {letters}. Niet u? Negeer dit.",
        "ht": "Lambi nan {site}: nimewo sa a se pou {contact}. Pou konfime, reponn {letters}. Si se pa ou, kite sa.",
        "pap": "Lambi na {site}: e number aki ta di {contact}. Pa konfirmá, kontestá {letters}. Si no, laga pa.",
    },
    "verified": {
        "en": "Thank you: this address is confirmed.",
        "es": "Gracias: esta direccion esta confirmada.",
        "fr": "Merci: cette adresse est confirmée.",
        "nl": "Dank u: dit adres is bevestigd.",
        "ht": "Mèsi: adrès sa a konfime.",
        "pap": "Danki: e adrès aki ta konfirmá.",
    },
}
LANGUAGES = tuple(TEXTS["acked"])


def say(key: str, language: str, **facts: object) -> str:
    """Return a fixed text as one SMS can carry it; a language that is not here gets English."""
    texts = TEXTS[key]
    known = {name: fold(str(fact)) for name, fact in facts.items()}
    return fold(texts.get(language, texts["en"]).format(**known))


def lint() -> list[str]:
    """Return what is wrong with the catalogue: a language that lacks, names that differ, a text that is too long."""
    widest = {"ref": "B47110-KT", "step": "12", "minutes": "240", "site": "Bridgetown", "contact": "x" * 16}
    problems = []
    for key, texts in TEXTS.items():
        names = {name for _, name, _, _ in Formatter().parse(texts["en"]) if name}
        for language in LANGUAGES:
            text = texts.get(language)
            if text is None:
                problems.append(f"{key}: {language} is missing")
            elif {name for _, name, _, _ in Formatter().parse(text) if name} != names:
                problems.append(f"{key}: {language} names other facts than English")
            elif (long := septets(say(key, language, **{**widest, "letters": "KTMP"}))) > ONE_PART:
                problems.append(f"{key}: {language} has {long} characters, one SMS has {ONE_PART}")
    return problems
