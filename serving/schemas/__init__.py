"""What goes over the wire, as types, and the OpenAPI document made from them.

In: JSON. Out: checked structs. Called by ``requests`` and ``api``.
"""
