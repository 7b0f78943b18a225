"""Settings of the models, ``[models.NAME]``: one frozen struct for each.

The comments under the fields are what docs/configuration.md explains at length, and docs/models.md
says what each model does with them. Part of ``recsys.config.settings``.
"""

from typing import Annotated

from msgspec import Meta, field

from recsys.config.settings import Count, Positive, Settings, Share


class PopularSettings(Settings, frozen=True):
    """Most bought lately."""

    half_life_days: Positive = 14.0
    """Age at which a purchase counts half."""
    min_lines: Count = 200
    """Lines a location or channel needs before its own ranking is trusted."""


class TrendingSettings(Settings, frozen=True):
    """Rising against its own past."""

    half_life_days: Positive = 7.0
    """Age at which a purchase counts half: how a product sells now."""
    past_half_life_days: Positive = 90.0
    """The same for its past."""
    false_share: Annotated[float, Meta(gt=0, lt=1)] = 0.05
    """Share of the rising products that may be chance."""
    min_lines: Count = 1000
    """Lines a location or channel needs before what rises there is looked for."""


class RepeatSettings(Settings, frozen=True):
    """What the customer bought before, and when it is due."""

    half_life_days: Positive = 180.0
    """Age at which a purchase counts half."""
    doubt: Positive = 0.5
    """Repeats of doubt: how much the product's pace counts beside the customer's own."""
    due: Share = 0.5
    """How far the time since the last purchase counts: 0 not at all, 1 as it was learned."""
    now: Share = 0.3
    """How far it counts how the product sells now: 0 not at all, 1 in full."""
    once_below: Share = 0.1
    """A product whose repeats are rarer than this share of the average is bought only once."""
    horizon_days: Positive = 28.0
    """Days for which purchases are expected."""


class CoPurchaseSettings(Settings, frozen=True):
    """Bought together."""

    min_support: Count = 5
    """Baskets a pair needs."""
    neighbours: Count = 50
    """Neighbours kept for each item."""
    shrinkage: Annotated[float, Meta(ge=0)] = 10.0
    """Baskets of doubt added to each pair's count."""
    window_days: Positive = 28.0
    """Days within which what one customer bought goes together."""
    memory_days: Positive = 30.0
    """Age at which such a window counts half."""
    half_life_days: Positive = 30.0
    """Age at which an item of the history counts half."""


class TransitionsSettings(Settings, frozen=True):
    """Bought next."""

    min_support: Count = 3
    """Customers' pairs of orders, one after the other, that a pair of products needs."""
    neighbours: Count = 50
    """Successors kept for each item."""
    shrinkage: Annotated[float, Meta(ge=0)] = 10.0
    """Orders of doubt added to each pair's count."""


class InteractionWeights(Settings, frozen=True):
    """What each kind of interaction says of a customer's liking for a product."""

    purchase: Positive = 1.0
    """Each purchase that was kept."""
    cart: Annotated[float, Meta(ge=0)] = 0.5
    """Put into a cart, and not bought since."""
    view: Annotated[float, Meta(ge=0)] = 0.2
    """Looked at, and not bought since."""
    returned: Annotated[float, Meta(ge=0)] = field(default=0.0, name="return")
    """Bought and returned: speaks against the product. The purchase never counts then."""


class AlsSettings(Settings, frozen=True):
    """Implicit-feedback factors."""

    factors: Count = 64
    """Length of a factor vector."""
    iterations: Count = 10
    """Rounds of alternating least squares."""
    regularization: Annotated[float, Meta(ge=0)] = 0.02
    """λ of Hu, Koren and Volinsky (2008), as a share of the length of all confidences."""
    alpha: Positive = 2.0
    """Confidence that one purchase adds."""
    half_life_days: Positive = 60.0
    """Age at which a purchase counts half."""
    weights: InteractionWeights = field(default_factory=InteractionWeights)
    """What each kind of interaction counts."""


class BprSettings(Settings, frozen=True):
    """Factors that rank by pairs."""

    enabled: bool = False
    """Whether it is learned and asked at all."""
    factors: Count = 64
    """Length of a factor vector."""
    iterations: Count = 60
    """Rounds over all likings."""
    learning_rate: Positive = 0.05
    """Length of a step."""
    regularization: Annotated[float, Meta(ge=0)] = 0.01
    """How much vectors are held back."""
    half_life_days: Positive = 60.0
    """Age at which a purchase counts half."""
    weights: InteractionWeights = field(default_factory=InteractionWeights)
    """What each kind of interaction counts."""


class NeighboursSettings(Settings, frozen=True):
    """Similar customers."""

    products: Annotated[int, Meta(ge=1, le=20_000)] = 4_000
    """Products that take part: those that most customers bought. Memory grows with its square."""
    neighbours: Count = 100
    """Weights kept for each product."""
    regularization: Positive = 2.0
    """λ, in units of the mean diagonal of XᵀX."""
    half_life_days: Positive = 120.0
    """Age at which a purchase counts half."""


class ContentSettings(Settings, frozen=True):
    """What a product is."""

    words: Annotated[float, Meta(ge=0)] = 0.5
    """What the words of two titles count when they are compared."""
    category: Annotated[float, Meta(ge=0)] = 0.3
    """What it counts that two products are of one category."""
    brand: Annotated[float, Meta(ge=0)] = 0.2
    """What it counts that two products are of one brand."""
    half_life_days: Positive = 90.0
    """Age at which a purchase of the customer counts half."""
    sold_half_life_days: Positive = 30.0
    """Age at which anyone's purchase counts half, where it is counted how a product sells."""


class ModelSettings(Settings, frozen=True):
    """Settings of each model."""

    popular: PopularSettings = field(default_factory=PopularSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    repeat: RepeatSettings = field(default_factory=RepeatSettings)
    copurchase: CoPurchaseSettings = field(default_factory=CoPurchaseSettings)
    transitions: TransitionsSettings = field(default_factory=TransitionsSettings)
    als: AlsSettings = field(default_factory=AlsSettings)
    bpr: BprSettings = field(default_factory=BprSettings)
    neighbours: NeighboursSettings = field(default_factory=NeighboursSettings)
    content: ContentSettings = field(default_factory=ContentSettings)


class RankerSettings(Settings, frozen=True):
    """Trees that put right what the blend of the models gets wrong."""

    trees: Annotated[int, Meta(ge=0, le=1_000)] = 150
    """Trees for chances, at most; 0: the blend ranks alone. Each costs time in every answer."""
    order_trees: Annotated[int, Meta(ge=1, le=1_000)] = 80
    """Trees for the order on top of them, at most."""
    min_customers: Count = 200
    """Customers whose purchases are learned from; of fewer the blend ranks alone."""
    learning_rate: Positive = 0.1
    """How far a tree for chances goes; one for the order goes half as far."""
    leaves: Annotated[int, Meta(ge=2, le=256)] = 31
    """Leaves of a tree."""
    min_examples: Count = 200
    """Candidates that a leaf needs."""
    l2: Annotated[float, Meta(ge=0)] = 5.0
    """How much leaves are held back."""
    features: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """Share of the features that each tree may look at."""
