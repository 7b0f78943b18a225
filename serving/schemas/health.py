"""What ``api.health`` answers: whether the process is alive, and whether it can answer requests."""

from typing import Annotated, Literal

from msgspec import Meta, field

from serving.schemas.base import Body


class Alive(Body, frozen=True):
    """The process answers."""

    status: Literal["alive"]


class Readiness(Body, frozen=True):
    """Whether questions can be answered, and what is missing."""

    status: Annotated[
        Literal["ready", "degraded", "not_ready"],
        Meta(
            description="`degraded`: questions are answered, and a check says what is not as it "
            "should be."
        ),
    ]
    model_version: Annotated[
        str | None,
        Meta(
            description="Where keys are needed, only a key that is no page's is told this, and the "
            "rest."
        ),
    ] = None
    checks: Annotated[
        dict[str, str],
        Meta(
            description="Each check with `ok`, or what is wrong and what to do: `model`, `ledger`, "
            "`disk` and `age` of what was learned."
        ),
    ] = field(default_factory=dict)
