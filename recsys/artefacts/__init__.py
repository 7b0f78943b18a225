"""Artefacts: what a training learned, as arrays on disk with a manifest that vouches for them.

In: fitted models and tables. Out: a version, published through the gate, loaded without unpickling.
Called by ``training`` to write and by ``recommender`` to read.
"""
