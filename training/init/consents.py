"""Finds the columns that say who consents to what, by their names and their words.

In: an export's evidence and a proposal. Out: mapped ``consents``, each with a note to check. Called
by ``mapping``.
"""

from recsys.values import words_by_meaning
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import fields_of, phrases
from training.init.proposal import Proposal, used_columns

_MARKETING = phrases(
    "accepts marketing, accepts email marketing, email marketing consent, marketing consent, "
    "marketing opt in, email opt in, newsletter opt in, newsletter, newsletter subscription, "
    "Newsletter Einwilligung, Werbeeinwilligung, Einwilligung Werbung, Newsletter Anmeldung, "
    "consentement marketing, accepte le marketing, inscription newsletter, "
    "consentimiento marketing, acepta marketing, acepta publicidad, boletín, "
    "consenso marketing, accetta marketing, iscrizione newsletter, "
    "zgoda marketingowa, zgoda na marketing, newsletter zgoda, "
    "pazarlama izni, ticari ileti izni, e-posta izni, bülten, "
    "メルマガ, メールマガジン, メルマガ購読"
)


_PROFILING = phrases(
    "profiling consent, consent to profiling, accepts profiling, profiling opt in, "
    "allow profiling, profiling allowed, profiling, "
    "Einwilligung Profiling, Profiling Einwilligung, Profilbildung, Einwilligung Profilbildung, "
    "consentement profilage, accepte le profilage, profilage, "
    "consentimiento perfilado, acepta perfilado, elaboración de perfiles, perfilado, "
    "consenso profilazione, accetta profilazione, profilazione, "
    "zgoda na profilowanie, profilowanie, profilleme izni, profilleme onayı"
)
_PERSONALISATION = phrases(
    "personalisation consent, personalization consent, consent to personalisation, "
    "consent to personalization, accepts personalisation, accepts personalization, "
    "personalisation opt in, personalization opt in, allow personalisation, "
    "allow personalization, personalised offers, personalized offers, "
    "Einwilligung Personalisierung, Personalisierung, "
    "consentement personnalisation, accepte la personnalisation, "
    "consentimiento personalización, acepta personalización, "
    "consenso personalizzazione, accetta personalizzazione, "
    "zgoda na personalizację, kişiselleştirme izni, kişiselleştirme onayı"
)
#: Purpose → channel and names of a column that says who consents to it.
_PURPOSES = {
    "marketing": ("email", _MARKETING),
    "profiling": ("all", _PROFILING),
    "personalisation": ("all", _PERSONALISATION),
}
_NOTES = {
    "marketing": "who accepts marketing by e-mail; who does not gets no message",
    "profiling": "who consents to profiling; nothing is learned from who does not",
    "personalisation": "who consents to personalisation; who does not is answered as a stranger",
}


def map_consents(evidence: Evidence, proposal: Proposal) -> None:
    """Map a column of consents to each purpose if nearly all its words say yes or no."""
    if not proposal.identifiers or "occurred_at" not in proposal.columns:
        return
    for purpose, (_, names) in _PURPOSES.items():
        used = set(used_columns(proposal))
        free = [column for column in evidence.export.columns if column not in used]
        for column in fields_of(free, {"consent": names})["consent"]:
            if _says_yes_or_no(evidence, column):
                take(proposal, column, purpose)
                break


def _says_yes_or_no(evidence: Evidence, column: str) -> bool:
    known = words_by_meaning(list(evidence.counts(column)))
    share = evidence.share(column, lambda word: known[word] in ("yes", "no"))
    return bool(known) and share >= NEARLY_ALL


def take(proposal: Proposal, column: str, purpose: str = "marketing") -> None:
    """Propose a column as the consent to a purpose; that to marketing is one by e-mail."""
    channel, _ = _PURPOSES[purpose]
    proposal.consents = {**proposal.consents, purpose: {channel: column}}
    proposal.check(f"`{column}` says {_NOTES[purpose]}")
