"""Draws pictures of products that have none, from their titles and categories alone.

A title and the names of its category and department come in; an SVG of a bottle, a bag, a fruit or
the like goes out. The title decides the colour, so a product always looks the same.
"""

import hashlib
import re
from typing import Final

from recsys.recommender.engine import Engine

#: Shape → beginnings of words that choose it; the first matching shape is drawn.
_WORDS: Final = {
    "jar": "jam jelly peanut sauce pickle olive honey spread syrup relish salsa spice candle",
    "round": "apple orange citrus fruit berr melon peach pear plum grape tomato onion potato "
    "lemon lime avocado kiwi nectarine egg",
    "banana": "banana plantain",
    "leaf": "salad lettuce vegetable broccoli spinach herb pepper carrot celery mushroom cucumber "
    "corn cabbage organic",
    "carton": "milk cream juice creamer eggnog broth",
    "cup": "yogurt yoghurt pudding dip margarine butter sherbet ice coffee tea cocoa",
    "can": "soup can bean tuna beer ale cola soda soft drink energy cat dog",
    "bottle": "water wine oil vinegar dressing condiment ketchup liquor shampoo hair soap lotion "
    "detergent clean bleach softener hygiene dishwash spirit",
    "loaf": "bread bun roll bagel loaf toast muffin cake pie pastr donut doughnut tortilla bak",
    "cheese": "cheese pizza",
    "meat": "beef pork chicken turkey meat bacon sausage ham steak fish seafood salmon shrimp "
    "frankfurter hot lunchmeat deli",
    "flower": "floral flower rose plant bouquet garden",
    "bag": "chip snack candy cookie cracker nut popcorn flour sugar rice pasta noodle coffee "
    "frozen bag charcoal litter diaper dried pretzel",
}
#: Beginnings of at least this many letters match any word that starts with them.
_LONG: Final = 4
_SHAPES: Final = {
    "jar": '<rect x="62" y="42" width="76" height="20" rx="6" class="d"/>'
    '<path d="M58 66h84q10 8 10 22v64q0 14-14 14H62q-14 0-14-14V88q0-14 10-22z" class="m"/>'
    '<rect x="48" y="100" width="104" height="40" class="l"/>',
    "round": '<circle cx="100" cy="112" r="52" class="m"/><path d="M100 62q2-20 14-28" class="s"/>'
    '<path d="M104 52q22-18 40-4-20 18-40 4z" class="g"/>'
    '<ellipse cx="80" cy="94" rx="12" ry="18" class="l" transform="rotate(25 80 94)"/>',
    "banana": '<path d="M52 52q-4 76 46 102 34 14 58-8-54-8-76-96l-14-12z" class="m"/>'
    '<path d="M66 46q14 82 84 102" class="s"/>',
    "leaf": '<path d="M100 166q-60-26-52-80 4-36 52-52 48 16 52 52 8 54-52 80z" class="m"/>'
    '<path d="M100 164V62M100 90l-24-18M100 90l24-18M100 122l-30-22M100 122l30-22" class="s"/>',
    "carton": '<path d="M64 76l18-34h36l18 34z" class="d"/><rect x="64" y="76" width="72" '
    'height="92" class="m"/><rect x="78" y="32" width="44" height="12" class="d"/>'
    '<rect x="64" y="106" width="72" height="34" class="l"/>',
    "cup": '<path d="M56 70h88l-12 92q-1 6-8 6H76q-7 0-8-6z" class="m"/>'
    '<rect x="50" y="54" width="100" height="16" rx="6" class="d"/>'
    '<path d="M60 98h80l-5 36H65z" class="l"/>',
    "can": '<rect x="60" y="46" width="80" height="118" rx="10" class="m"/>'
    '<ellipse cx="100" cy="48" rx="40" ry="11" class="d"/>'
    '<rect x="60" y="84" width="80" height="48" class="l"/>',
    "bottle": '<rect x="88" y="28" width="24" height="14" rx="3" class="d"/>'
    '<path d="M90 44h20v22q26 12 26 36v52q0 14-14 14H78q-14 0-14-14v-52q0-24 26-36z" class="m"/>'
    '<rect x="64" y="108" width="72" height="36" class="l"/>',
    "loaf": '<path d="M40 104q-4-42 60-42t60 42q0 10-8 12v42q0 8-8 8H56q-8 0-8-8v-42q-8-2-8-12z" '
    'class="m"/><path d="M74 78l10 24M100 74l8 26M126 78l6 24" class="s"/>',
    "cheese": '<path d="M40 112l104-52q16 16 16 52z" class="d"/>'
    '<rect x="40" y="112" width="120" height="44" rx="4" class="m"/>'
    '<circle cx="76" cy="134" r="9" class="l"/><circle cx="118" cy="130" r="12" class="l"/>',
    "meat": '<path d="M48 118q-10-48 42-62 60-10 66 36 4 34-30 42-22 4-30 20-38 16-48-36z" '
    'class="m"/><circle cx="118" cy="92" r="14" class="l"/><path d="M66 122q-4-30 24-44" '
    'class="s"/>',
    "flower": "".join(
        f'<circle cx="100" cy="52" r="20" class="m" transform="rotate({turn} 100 80)"/>'
        for turn in range(0, 360, 60)
    )
    + '<circle cx="100" cy="80" r="16" class="l"/><path d="M100 112v56M100 150q20-22 34-12" '
    'class="s"/>',
    "bag": '<path d="M56 44h88l-6 16 10 96q1 12-11 12H63q-12 0-11-12l10-96z" class="m"/>'
    '<path d="M56 44l6 16h76l6-16z" class="d"/><ellipse cx="100" cy="116" rx="32" ry="26" '
    'class="l"/>',
    "box": '<path d="M48 70l52-26 52 26-52 26z" class="l"/>'
    '<path d="M48 70l52 26v72l-52-26z" class="m"/><path d="M152 70l-52 26v72l52-26z" class="d"/>',
}


def _matches(word: str, beginning: str) -> bool:
    """Whether a word matches a beginning; a short beginning matches only itself and its plural."""
    if len(beginning) < _LONG:
        return word in (beginning, f"{beginning}s")
    return word.startswith(beginning)


def shape_of(title: str, *kinds: str) -> str:
    """Return the shape of a product: by its title, else by its kinds, the narrowest first."""
    for text in (title, *kinds):
        words = re.findall(r"[^\W\d_]+", text.lower())
        for shape, beginnings in _WORDS.items():
            if any(_matches(word, beginning) for word in words for beginning in beginnings.split()):
                return shape
    return "box"


def draw(title: str, *kinds: str) -> str:
    """Draw a product.

    Parameters
    ----------
    title : str
        Decides the colour too.
    *kinds : str
        Names of its category and department, the narrowest first.

    Returns
    -------
    svg : str
        A picture of 200 by 200; contains none of the given text.
    """
    hue = hashlib.blake2b(title.encode(), digest_size=2).digest()
    turn = int.from_bytes(hue) % 360
    style = (
        f".p{{fill:hsl({turn} 45% 93%)}}.m{{fill:hsl({turn} 48% 55%)}}"
        f".d{{fill:hsl({turn} 42% 40%)}}.l{{fill:hsl({turn} 60% 84%)}}.g{{fill:#5f8f4e}}"
        f".s{{fill:none;stroke:hsl({turn} 42% 34%);stroke-width:5;stroke-linecap:round}}"
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
        f'<style>{style}</style><rect width="200" height="200" rx="18" class="p"/>'
        f"{_SHAPES[shape_of(title, *kinds)]}</svg>"
    )


def draw_item(engine: Engine, item_ix: int) -> str:
    """Draw a product of the catalogue.

    Parameters
    ----------
    engine : Engine
    item_ix : int
        Position in its index.

    Returns
    -------
    svg : str
        As of ``draw``.
    """
    labels, item = engine.catalogue.labels, engine.item(item_ix)
    kinds = [
        labels[name].names[code]
        for name in ("category", "department")
        if (code := int(labels[name].code[item_ix])) >= 0
    ]
    return draw(item["title"] or item["item_id"], *kinds)
