"""What a worker holds between requests: the model, the ledger, keys, decisions, exposures.

In: a workspace. Out: ``State``, renewed in the background. Called by every route.
"""
