"""Who asks, and what they may: keys, scopes, sessions, rate limits.

In: headers and addresses of a request. Out: a grant, or a problem. Called before every route.
"""
