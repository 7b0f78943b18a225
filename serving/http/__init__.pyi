from .connection_balance import ConnectionBalance
from .item_id_converter import ItemIdConverter
from .problem_kinds import PROBLEM_KINDS
from .problems import PROBLEM_TYPE, FieldError, Problem, Refusal, problem
from .queues import RequestQueues
from .responses import etag_of, is_held, reply, request_id_of
from .server import Server

__all__ = [
    "PROBLEM_KINDS",
    "PROBLEM_TYPE",
    "ConnectionBalance",
    "FieldError",
    "ItemIdConverter",
    "Problem",
    "Refusal",
    "RequestQueues",
    "Server",
    "etag_of",
    "is_held",
    "problem",
    "reply",
    "request_id_of",
]
