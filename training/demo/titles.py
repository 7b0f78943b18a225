"""Makes the package's shelf labels readable: "FRZN BAGGED VEGETABLES - PLAIN" for a person.

A label comes in, words come out. Called by ``catalogue`` once for each distinct label.
"""

import re

DEPARTMENTS = {
    "DRUG GM": "Drugstore and household",
    "MEAT-PCKGD": "Packaged meat",
    "SEAFOOD-PCKGD": "Packaged seafood",
    "PASTRY": "Bakery",
    "NUTRITION": "Nutrition and natural food",
    "COUPON": "Coupons",
    "CHEF SHOPPE": "Chef's counter",
    "GM MERCH EXP": "General merchandise",
    "CNTRL/STORE SUP": "Store supplies",
    "PROD-WHS SALES": "Warehouse sales",
    "ELECT &PLUMBING": "Electrical and plumbing",
}

#: Types that say nothing without their category.
VAGUE = (
    "BLENDS", "DRY", "ENHANCED", "FRESH", "JUICE", "MAINSTREAM", "NOVELTIES", "PANTRY", "PREMIUM",
    "PREMIUM PINTS", "SEASONAL", "SPECIALTY", "STICKS/ENROBED", "SUPER PREMIUM PINTS",
    "TRADITIONAL", "VALUE", "ECONOMY", "REGULAR", "LIGHT", "OTHER", "FROZEN",
)  # fmt: skip
_CUT_AT = 30

#: What the labels shorten, in full; an empty text is left out.
_WORDS = {
    "FRZN": "frozen", "FRZ": "frozen", "SS": "single-serve", "SFT": "soft", "DRNK": "drink",
    "DRNKS": "drinks", "DRNKING": "drinking", "DRNKNG": "drinking", "BTL": "bottle",
    "CARB": "", "CAR": "", "INCL": "", "MLT": "multi", "SNGL": "single", "SGL": "single",
    "SRV": "serve", "SV": "serve", "PK": "pack", "PREM": "premium", "GRND": "ground",
    "CHOC": "chocolate", "CHOCOCLATE": "chocolate", "CHOCOL": "chocolate", "CHICK": "chicken",
    "VEG": "vegetables", "VEGTBLS": "vegetables", "DNRS": "dinners", "DNR": "dinner",
    "RTS": "ready-to-serve", "FEM": "feminine", "HYGN": "hygiene", "DOGFD": "dog food",
    "CATFD": "cat food", "CNTRL": "control", "SW": "sweet", "GDS": "goods",
    "MISC": "miscellaneous",
    "PROD": "products", "PCKGD": "packaged", "PORTN": "portion", "REFRGRATD": "refrigerated",
    "REFRIG": "refrigerated", "SYRP": "syrup", "CRMD": "creamed", "WHL": "whole",
    "ASST": "assorted",
    "BRD": "breaded", "FLVR": "flavor", "FLVRD": "flavored", "MNRL": "mineral", "WAT": "water",
    "WATE": "water", "MNERAL": "mineral", "CRBNTD": "carbonated", "BEERALEMALT": "beer, ale, malt",
    "DECORS": "decorations", "STK": "stick", "EX": "", "PNT": "peanut", "BTR": "butter",
    "JHOOK": "hook", "COOKI": "cookies", "DAN": "danish", "SNDWCH": "sandwich",
    "ITALIAN": "Italian", "FRENCH": "French", "MEXICAN": "Mexican", "JAPANESE": "Japanese",
    "AMERICAN": "American", "AUSTRALIAN": "Australian", "ORIENTAL": "Oriental", "NZ": "NZ",
    "BBQ": "BBQ", "DVD": "DVD", "TV": "TV", "SPF": "SPF", "COVERGIRL": "CoverGirl",
    "MAYBELLINE": "Maybelline", "REVLON": "Revlon", "LOREAL": "L'Oréal", "ALMAY": "Almay",
    "SALLY": "Sally", "HANSEN": "Hansen", "MAYO": "mayonnaise",
}  # fmt: skip
_UNITS = {"OZ": "oz", "LB": "lb", "CT": "ct", "ML": "ml", "L": "L", "QT": "qt", "PT": "pt",
          "PK": "pack", "GA": "gal", "GAL": "gal", "GR": "g"}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?)?) ?([A-Z]+)")


def readable(label: str) -> str:
    """Write a label as words: abbreviations in full, what was cut off left out, sentence case."""
    text = re.sub(r"\([^)]*$", "", label)  # labels were cut in the middle of a bracket
    if len(label) >= _CUT_AT:
        text = re.sub(r"[ /][A-Z]{1,2}$", "", text)  # or of a word
    text = re.sub(r"[A-Z]+", lambda m: _WORDS.get(m[0], m[0].lower()), text)
    text = re.sub(r"\s*([:&])\s*", lambda m: ": " if m[1] == ":" else " & ", text)
    text = re.sub(r"(?<=[a-z])\.(?= |$)", "", re.sub(r"\s+", " ", text)).strip(" -/&:")
    return text[:1].upper() + text[1:]


def department(label: str) -> str:
    """Write the name of a department."""
    return DEPARTMENTS.get(label) or readable(label)


def size(package_size: str | None) -> str | None:
    """Write a package size as on a shelf, ``16 oz``; None where it is not one."""
    match = _SIZE.fullmatch(package_size or "")
    if not match or match[2] not in _UNITS:
        return None
    return f"{match[1]} {_UNITS[match[2]]}"
