from .connection_balance import Balance
from .problems import PROBLEM_KINDS, PROBLEM_TYPE, FieldError, Problem, Refusal, problem
from .queues import Lanes
from .responses import etag_of, is_held, reply, request_id_of
from .server import Front

__all__ = [
    "PROBLEM_KINDS",
    "PROBLEM_TYPE",
    "Balance",
    "FieldError",
    "Front",
    "Lanes",
    "Problem",
    "Refusal",
    "etag_of",
    "is_held",
    "problem",
    "reply",
    "request_id_of",
]
