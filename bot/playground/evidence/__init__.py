"""What really happened: read off the wire, the effect counter and the processes, never off what the bot says."""
