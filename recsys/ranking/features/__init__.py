"""What is known of a candidate and its customer, as named columns of numbers.

In: candidates and histories. Out: one row of features a candidate. Called by ``ranking`` to answer
and by ``learning`` to learn, so both see the same numbers.
"""
