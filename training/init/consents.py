"""Finds the column that says who accepts marketing by e-mail, by its name and its words.

In: an export's evidence and a proposal. Out: mapped ``consents``, with a note to check. Called by
``mapping``.
"""

from recsys.values import words_by_meaning
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import fields_of, phrases
from training.init.proposal import Proposal, used_columns

_NAMES = phrases(
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


def map_consents(evidence: Evidence, proposal: Proposal) -> None:
    """Map the column of consents to marketing if nearly all its words say yes or no."""
    if not proposal.identifiers or "occurred_at" not in proposal.columns:
        return
    used = set(used_columns(proposal))
    free = [column for column in evidence.export.columns if column not in used]
    for column in fields_of(free, {"accepts_marketing": _NAMES})["accepts_marketing"]:
        if _says_yes_or_no(evidence, column):
            take(proposal, column)
            return


def _says_yes_or_no(evidence: Evidence, column: str) -> bool:
    known = words_by_meaning(list(evidence.counts(column)))
    share = evidence.share(column, lambda word: known[word] in ("yes", "no"))
    return bool(known) and share >= NEARLY_ALL


def take(proposal: Proposal, column: str) -> None:
    """Propose a column as the consent to marketing by e-mail."""
    proposal.consents = {"marketing": {"email": column}}
    proposal.check(f"`{column}` says who accepts marketing by e-mail; who does not gets no message")
