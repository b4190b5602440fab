"""The engine: what people ask for becomes runs, workers execute them, nothing is lost or done twice.

``control`` needs the store alone; ``worker`` and ``harness`` load the agent framework.
"""
