"""Reads a product's id out of a path, whatever characters it has.

Registered by ``serving.app`` as ``item``, for rules such as ``/p/<item:item_id>``.
"""

from werkzeug.routing import PathConverter


class ItemIdConverter(PathConverter):
    """As ``path``, but an id may begin with a slash, too."""

    regex = ".+?"
    part_isolating = False
