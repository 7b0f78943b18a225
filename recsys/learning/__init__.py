"""Learns how to rank: training examples, weights of the blend, boosted trees.

In: a history and its windows. Out: fitted models and a fitted ranker. Called by ``training`` and
notebooks.
"""
