"""Pages for people: the dashboard, the example shop, the documentation.

In: a browser's request. Out: HTML, pictures and scripts. Called by browsers.
"""
