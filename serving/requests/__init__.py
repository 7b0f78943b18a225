"""A request becomes a question that the library understands.

In: bodies and queries. Out: checked structs, questions and warnings. Called by ``api``.
"""
