"""Tools of the example team. They only read, and the services they read are invented."""
