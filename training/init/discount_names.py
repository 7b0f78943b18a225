"""Column names of discounts in percent. Called by ``money_columns``."""

from training.init.headers import forms, phrases

_PERCENT = phrases(
    "percent, pct, percentage, perc, rate, prozent, pourcentage, porcentaje, "
    "percentuale, procent, yüzde, oran"
)
_DISCOUNT = phrases(
    "discount, disc, rebate, rabatt, nachlass, remise, réduction, descuento, dto, sconto, sconti, "
    "rabat, indirim, iskonto, خصم, خصومات, تخفیف, ფასდაკლება, 割引, 値引"
)


def is_percentage(column: str) -> bool:
    """Return whether a column's name means a discount in percent."""
    names = forms(column)
    if not any(word in name for name in names for word in _DISCOUNT):
        return False
    return "%" in column or any(n.endswith(_PERCENT) or n.startswith(_PERCENT) for n in names)
