"""Makes the package's shelf labels readable, such as "FRZN BAGGED VEGETABLES - PLAIN".

In: a label. Out: words. Called by ``catalogue`` once for each distinct label.
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

_VAGUE_TEXT = (
    "BLENDS, DRY, ENHANCED, FRESH, JUICE, MAINSTREAM, NOVELTIES, PANTRY, PREMIUM, PREMIUM PINTS, "
    "SEASONAL, SPECIALTY, STICKS/ENROBED, SUPER PREMIUM PINTS, TRADITIONAL, VALUE, ECONOMY, "
    "REGULAR, LIGHT, OTHER, FROZEN"
)
#: Types that need their category to be clear.
VAGUE = tuple(_VAGUE_TEXT.split(", "))
_CUT_AT = 30

#: Abbreviation → full text; an empty text is removed.
_WORDS = {
    "FRZN": "frozen",
    "FRZ": "frozen",
    "SS": "single-serve",
    "SFT": "soft",
    "DRNK": "drink",
    "DRNKS": "drinks",
    "DRNKING": "drinking",
    "DRNKNG": "drinking",
    "BTL": "bottle",
    "CARB": "",
    "CAR": "",
    "INCL": "",
    "MLT": "multi",
    "SNGL": "single",
    "SGL": "single",
    "SRV": "serve",
    "SV": "serve",
    "PK": "pack",
    "PREM": "premium",
    "GRND": "ground",
    "CHOC": "chocolate",
    "CHOCOCLATE": "chocolate",
    "CHOCOL": "chocolate",
    "CHICK": "chicken",
    "VEG": "vegetables",
    "VEGTBLS": "vegetables",
    "DNRS": "dinners",
    "DNR": "dinner",
    "RTS": "ready-to-serve",
    "FEM": "feminine",
    "HYGN": "hygiene",
    "DOGFD": "dog food",
    "CATFD": "cat food",
    "CNTRL": "control",
    "SW": "sweet",
    "GDS": "goods",
    "MISC": "miscellaneous",
    "PROD": "products",
    "PCKGD": "packaged",
    "PORTN": "portion",
    "REFRGRATD": "refrigerated",
    "REFRIG": "refrigerated",
    "SYRP": "syrup",
    "CRMD": "creamed",
    "WHL": "whole",
    "ASST": "assorted",
    "BRD": "breaded",
    "FLVR": "flavor",
    "FLVRD": "flavored",
    "MNRL": "mineral",
    "WAT": "water",
    "WATE": "water",
    "MNERAL": "mineral",
    "CRBNTD": "carbonated",
    "BEERALEMALT": "beer, ale, malt",
    "DECORS": "decorations",
    "STK": "stick",
    "EX": "",
    "PNT": "peanut",
    "BTR": "butter",
    "JHOOK": "hook",
    "COOKI": "cookies",
    "DAN": "danish",
    "SNDWCH": "sandwich",
    "ITALIAN": "Italian",
    "FRENCH": "French",
    "MEXICAN": "Mexican",
    "JAPANESE": "Japanese",
    "AMERICAN": "American",
    "AUSTRALIAN": "Australian",
    "ORIENTAL": "Oriental",
    "NZ": "NZ",
    "BBQ": "BBQ",
    "DVD": "DVD",
    "TV": "TV",
    "SPF": "SPF",
    "COVERGIRL": "CoverGirl",
    "MAYBELLINE": "Maybelline",
    "REVLON": "Revlon",
    "LOREAL": "L'Oréal",
    "ALMAY": "Almay",
    "SALLY": "Sally",
    "HANSEN": "Hansen",
    "MAYO": "mayonnaise",
}
_UNITS = {
    "OZ": "oz",
    "Z": "oz",
    "FL OZ": "fl oz",
    "LB": "lb",
    "CT": "ct",
    "ML": "ml",
    "L": "L",
    "QT": "qt",
    "PT": "pt",
    "PK": "pack",
    "GA": "gal",
    "GAL": "gal",
    "GR": "g",
    "GM": "g",
    "IN": "in",
    "FT": "ft",
    "SQ FT": "sq ft",
    "LOAD": "loads",
    "LOADS": "loads",
    "LD": "loads",
    "STEM": "stems",
    "PC": "pieces",
    "DZ": "dozen",
}
#: Unit in a package size → its name.
_PACKAGES = {
    "BTL": "bottle",
    "CAN": "can",
    "BAG": "bag",
    "PET": "bottle",
    "NR": "bottle",
    "CTN": "carton",
    "KIT": "kit",
}
_WORD_SIZES = {
    "MINI": "mini",
    "SMALL": "small",
    "MED": "medium",
    "MEDIUM": "medium",
    "LARGE": "large",
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_NUMBER = r"\d+ \d+/\d+|\d*\.?\d+(?:[/-]\d+(?:\.\d+)?)?"
_MEASURE = rf"(?P<number>{_NUMBER})?[ -]?(?P<unit>{_UNIT})"
_PIECES = r"(?P<pieces>\d+) ?(?P<as>PK|CT|P)"
_PACKAGE = rf"(?: (?P<package>{'|'.join(_PACKAGES)}))?"
_SIZES = (
    re.compile(rf"{_MEASURE}{_PACKAGE}"),
    re.compile(rf"{_PIECES}(?:/| +){_MEASURE}"),
    re.compile(rf"{_MEASURE}(?:/| +){_PIECES}"),
)


def readable(label: str) -> str:
    """Write a label in words: expand abbreviations, drop truncated words, use sentence case."""
    text = re.sub(r"\([^)]*$", "", label)  # labels may be truncated within a bracket
    if len(label) >= _CUT_AT:
        text = re.sub(r"[ /][A-Z]{1,2}$", "", text)  # or within a word
    text = re.sub(r"[A-Z]+", lambda m: _WORDS.get(m[0], m[0].lower()), text)
    text = re.sub(r"\s*([:&])\s*", lambda m: ": " if m[1] == ":" else " & ", text)
    text = re.sub(r"(?<=[a-z])\.(?= |$)", "", re.sub(r"\s+", " ", text)).strip(" -/&:")
    return text[:1].upper() + text[1:]


def department(label: str) -> str:
    """Write the name of a department."""
    return DEPARTMENTS.get(label) or readable(label)


def size(package_size: str | None) -> str | None:
    """Write a package size as on a shelf, ``6 pack, 12 oz``; None if it is not a size."""
    text = " ".join((package_size or "").rstrip("*").split())
    if text in _WORD_SIZES:
        return _WORD_SIZES[text]
    if text.removeprefix("1 ") in _PACKAGES:
        return _PACKAGES[text.removeprefix("1 ")]
    match = next((found for shape in _SIZES if (found := shape.fullmatch(text))), None)
    if match is None:
        return None
    size = match.groupdict()
    number = re.sub(r"^\.", "0.", size["number"] or "1")
    if re.search(r"\d{5}", number):
        return None  # a product's number
    number = re.sub(r"(\.\d*?)0+$", r"\1", number).rstrip(".")
    written = f"{number} {_UNITS[size['unit']]}"
    if size.get("pieces"):
        return f"{size['pieces']} {'ct' if size['as'] == 'CT' else 'pack'}, {written}"
    return f"{written} {_PACKAGES[size['package']]}" if size.get("package") else written
