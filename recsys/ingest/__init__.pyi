from .consents import ImportedConsent, imported_consents
from .parts import Manifest, drop_replaced
from .staged import Live
from .staging import Report, stage
from .summary import exports_read, history_fingerprint, summarise_ingest, write_rejects
from .unification import unify

__all__ = [
    "ImportedConsent",
    "Live",
    "Manifest",
    "Report",
    "drop_replaced",
    "exports_read",
    "history_fingerprint",
    "imported_consents",
    "stage",
    "summarise_ingest",
    "unify",
    "write_rejects",
]
