from .artefact_format import Array, Artefact, Column, Manifest, read_manifest
from .fitted_models import arrays_of, models_of
from .gate import Comparison, GateDecision, check_gate, compare_versions, comparison_in_words
from .runs import Record, Run

__all__ = [
    "Array",
    "Artefact",
    "Column",
    "Comparison",
    "GateDecision",
    "Manifest",
    "Record",
    "Run",
    "arrays_of",
    "check_gate",
    "compare_versions",
    "comparison_in_words",
    "models_of",
    "read_manifest",
]
