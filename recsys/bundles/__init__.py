"""Orders → products worth selling together, their evidence, and a price that pays for itself."""
