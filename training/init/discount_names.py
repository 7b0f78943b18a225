"""Names of columns that say a discount in percent. Called by ``sheet`` and ``discounts``."""

from training.init.headers import forms, phrases

PERCENT = phrases("percent, pct, percentage, perc, rate, prozent, pourcentage, porcentaje, "
                  "percentuale, procent, yüzde, oran")  # fmt: skip
_DISCOUNT = phrases(
    "discount, disc, rebate, rabatt, nachlass, remise, réduction, descuento, dto, sconto, rabat, "
    "indirim, iskonto, خصم, تخفیف, ფასდაკლება, 割引, 値引"
)


def is_percentage(column: str) -> bool:
    """Tell whether a column is called a discount in percent."""
    names = forms(column)
    if not any(word in name for name in names for word in _DISCOUNT):
        return False
    return "%" in column or any(n.endswith(PERCENT) or n.startswith(PERCENT) for n in names)
