"""Tools of the example team. The services they look at and restart are invented."""
