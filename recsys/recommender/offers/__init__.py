"""Which approved bundle to offer to whom, and offers as channels get them.

In: questions and approved bundles. Out: proposals, and documents of offers. Called by
``recommender.engine`` and by the service.
"""
