"""Units that numbers are in; the name of a number says which."""

from typing import Final

#: Seconds of a day. Times are UTC, so every day has as many.
DAY: Final = 86_400
HOUR: Final = 3_600

#: Of a quantity: what is smaller is the rounding of weights, not goods.
LEAST_QUANTITY: Final = 1e-4
