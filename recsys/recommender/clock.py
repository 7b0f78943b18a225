"""What time it is for questions that do not say for when they are asked.

The settings and an artefact's manifest come in; the seconds by which that clock differs from the
wall's come out. Called by the service and the command line, which read the wall's clock.
"""

from recsys.artefacts import Manifest
from recsys.config import Config


def shift_seconds(config: Config, manifest: Manifest) -> int:
    """Say how far the workspace's clock is ahead of the wall's; behind it where negative.

    With ``[serve] clock = "history"`` an artefact's knowledge ended the moment it was made, however
    old the history is: what was bought last was bought just now, and time goes on from there.

    Parameters
    ----------
    config : Config
        ``serve.clock`` says which clock counts.
    manifest : Manifest
        Of the artefact that answers; the clock ``history`` read ``as_of`` when it was
        ``created``.

    Returns
    -------
    int
        Seconds to add to the wall's clock; 0 with the clock ``now``.
    """
    if config.serve.clock == "now":
        return 0
    return int(manifest.as_of.timestamp() - manifest.created.timestamp())
