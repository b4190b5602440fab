"""Handing events, interactions and commands to the bot, over HTTP or Socket Mode."""
