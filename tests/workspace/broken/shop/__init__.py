"""A package that tools of the files beside it may come from."""
