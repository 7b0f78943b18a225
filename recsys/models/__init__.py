"""Numbers become item-side arrays."""
