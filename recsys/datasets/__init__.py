"""The history as arrays: item index, baskets, customers' histories, batches.

In: a version of the history, or stored rows of customers. Out: arrays that models fit on and score
with. Called by ``models`` and everything after them.
"""
