"""One family of errors. A message says what was wrong, where, and what to do about it."""


class RecsysError(Exception):
    """Base of every error that the library raises on purpose."""


class ConfigError(RecsysError):
    """The workspace's settings are wrong; names the file and the setting."""


class DataError(RecsysError):
    """An export or a table cannot be used; names the file, and the line where there is one."""


class NotFittedError(RecsysError):
    """A model was asked before it was fitted."""


class ArtefactError(RecsysError):
    """An artefact is missing, damaged, or of a format this version does not read."""


class LedgerError(RecsysError):
    """The ledger cannot be opened, or refused what was asked of it."""


class LedgerAwayError(LedgerError):
    """The ledger does not answer, or not in time; it may later."""


class GateError(RecsysError):
    """A version may not become current: it is worse, or was learned from doubtful data."""


class StaleError(RecsysError):
    """Somebody else changed it meanwhile; read it again."""


class TransitionError(RecsysError):
    """What was asked for may not follow the present state."""


class OfferError(RecsysError):
    """An offer may not be redeemed.

    Parameters
    ----------
    kind : str
        ``offer-unknown``, ``offer-code-needed``, ``offer-redeemed``, ``offer-of-another``,
        ``offer-expired``, ``offer-withdrawn``, ``offer-elsewhere``, ``offer-incomplete``,
        ``offer-overlaps``, ``offer-not-cheaper``, ``offer-below-floor`` or ``order-limit``.
    message : str
        For people.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
