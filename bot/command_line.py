"""What can be typed after ``python -m bot``. Imports nothing heavy, so that ``--help`` is there at once."""

from __future__ import annotations

import argparse
import json
from typing import Any

from harness_core.states import RunState


def build_parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="A Slack bot that runs LangGraph agents for a team."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (
        ("serve", "take messages in and run agents, in one process"),
        ("web", "take messages in"),
        ("worker", "run agents"),
        ("check", "say what is wrong with settings, workspace, Redis and Slack"),
        ("playground", "try it: the bot, a Redis and a simulated Slack with a page in the browser"),
    ):
        commands.add_parser(name, help=about, description=about)
    _add_runs(commands.add_parser("runs", help="list, show, cancel and retry runs"))
    _add_approvals(
        commands.add_parser("approvals", help="list, approve, edit and reject what waits for people")
    )
    _add_audit(commands.add_parser("audit", help="export the record of who asked, decided and changed what"))
    _add_data(commands.add_parser("data", help="delete what is stored of a thread, a person or a team"))
    trial = commands.add_parser("try", help="run an agent once, here in the terminal")
    trial.add_argument("agent", metavar="AGENT")
    trial.add_argument("input", help="what to ask it")
    trial.add_argument(
        "--dry-run", action="store_true", help="the agent sees its tools, but none of them runs"
    )
    return parser


def _add_runs(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="newest first")
    listing.add_argument("--status", choices=[state.value for state in RunState])
    listing.add_argument("--limit", type=int, metavar="N", help="at most so many (default: all)")
    listing.add_argument("--json", action="store_true", help="an object per line")
    show = verbs.add_parser("show", help="everything about one run")
    show.add_argument("run_id", metavar="RUN")
    show.add_argument("--json", action="store_true", help="as one object")
    for verb, about in (("cancel", "stop a run"), ("retry", "ask the same again; prints the new run's id")):
        verbs.add_parser(verb, help=about).add_argument("run_id", metavar="RUN")


def _add_approvals(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="newest first")
    listing.add_argument("--status", choices=["open", "all"], default="open", help="default: open")
    listing.add_argument("--limit", type=int, metavar="N", help="at most so many (default: all)")
    listing.add_argument("--json", action="store_true", help="an object per line")
    for verb, about in (
        ("approve", "let it run as it is"),
        ("reject", "do not let it run"),
        ("done", "it has happened: go on"),
        ("again", "it has not happened: run it again"),
        ("skip", "go on without it"),
    ):
        decision = verbs.add_parser(verb, help=about)
        decision.add_argument("approval_id", metavar="APPROVAL")
        decision.add_argument(
            "--revision",
            type=int,
            metavar="N",
            help="only if nobody changed it since (default: as it is now)",
        )
        if verb == "reject":
            decision.add_argument("--reason", default="", help="what the agent reads")
    edit = verbs.add_parser("edit", help="change what would run; it still has to be approved")
    edit.add_argument("approval_id", metavar="APPROVAL")
    edit.add_argument(
        "assignments",
        nargs="*",
        type=_assignment,
        metavar="NAME=VALUE",
        help="a value in JSON, or text where the tool takes text",
    )
    edit.add_argument("--json", type=_object, metavar="JSON", help="all arguments at once, as one object")


def _add_audit(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    export = verbs.add_parser("export", help="an object per entry: seq, at, data, previous, hash")
    export.add_argument(
        "--since", type=int, default=1, metavar="SEQ", help="the first entry to print (default: 1)"
    )
    export.add_argument("--verify", action="store_true", help="also check the chain, from its beginning")


def _add_data(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    delete = verbs.add_parser(
        "delete",
        help="for good; shows what would go and asks, unless --yes",
        description="Deletes what is stored, for good. Messages in Slack stay, and so does the audit chain, which "
        "holds ids and hashes alone.",
    )
    delete.add_argument("--thread", metavar="THREAD", help="one conversation, with every run of it")
    delete.add_argument(
        "--user", metavar="USER", help="every conversation in which this person wrote something, whole"
    )
    delete.add_argument("--team", metavar="TEAM", help="everything of a team; with --user only in this team")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name, value


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("write one JSON object")
    return value
