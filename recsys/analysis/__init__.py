"""What notebooks open: a workspace, a model, the ranker, the bundles.

In: a workspace's folder. Out: data frames and figures. Called by notebooks, and by nothing in the
library.
"""
