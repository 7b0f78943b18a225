from .catalogues import FOLDER, read_catalogue, script_messages
from .language import Language, deferred
from .offered import ENGLISH, TAGS, Tag, fit_language, language_of

__all__ = [
    "ENGLISH",
    "FOLDER",
    "TAGS",
    "Language",
    "Tag",
    "deferred",
    "fit_language",
    "language_of",
    "read_catalogue",
    "script_messages",
]
