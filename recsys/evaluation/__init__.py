"""How good answers would have been, without leaking the future.

In: a history cut in time, and rankers. Out: metrics with intervals beside tuned baselines. Called
by ``learning``, ``training`` and notebooks.
"""
