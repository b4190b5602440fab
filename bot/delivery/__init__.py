"""Brings the newest view of every run to Slack, once, within its limits.

:class:`~bot.delivery.owner.OutputOwner` is what a worker process runs; :class:`~bot.delivery.web_api.WebApi` is
the only way to Slack's Web API, for the listeners too.
"""
