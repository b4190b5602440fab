"""The pure view: a run's events become a view model, and the view model becomes Block Kit.

Nothing here reads a clock, a socket or a file (the gallery writes files, when it is run). The same events
give the same message in every process, so any process can redraw any message at any time.
"""
