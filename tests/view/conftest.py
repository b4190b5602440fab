from hypothesis import settings

# The same examples at every run, however busy the machine is: a red run means that the code changed.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
