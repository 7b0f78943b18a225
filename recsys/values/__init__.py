"""What single values of retail data mean: currencies, phone numbers, words, placeholders.

In: one text. Out: what it stands for, or that it stands for nothing. Called by ``ingest``,
``identity``, ``ranking`` and ``recommender``.
"""
