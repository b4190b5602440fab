"""`assistant.threads.*`: the line that says what the app is doing, a thread's title, suggested prompts."""

from dataclasses import replace

from bot.playground.errors import SlackError
from bot.playground.records import Json, ThreadStatus
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api

LOADING_MESSAGES = 10
LOADING_TEXT = 50
PROMPTS = 4


def set_status(api: Api, args: Args) -> Json:
    """An empty status clears it; a status fades after two minutes, or when the app posts in the thread."""
    if "status" not in args:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: status"])
    current = _thread(api, args)
    lines = args.structure("loading_messages", "invalid_arguments") or []
    if not isinstance(lines, list) or len(lines) > LOADING_MESSAGES:
        raise SlackError("invalid_arguments", [f"[ERROR] no more than {LOADING_MESSAGES} items allowed"])
    if any(not isinstance(line, str) or len(line) > LOADING_TEXT for line in lines):
        raise SlackError("invalid_arguments", [f"[ERROR] must be less than {LOADING_TEXT + 1} characters"])
    status = args.text("status") or ""
    expires = api.world.clock.now() + api.config.status_life if status else 0.0
    api.world.messages.set_status(
        replace(current, status=status, loading_messages=tuple(lines), expires=expires),
    )
    return {}


def set_title(api: Api, args: Args) -> Json:
    current = _thread(api, args)
    api.world.messages.set_status(replace(current, title=args.required("title")))
    return {}


def set_suggested_prompts(api: Api, args: Args) -> Json:
    prompts = args.structure("prompts", "invalid_arguments")
    if not isinstance(prompts, list) or not 0 < len(prompts) <= PROMPTS:
        raise SlackError("invalid_arguments", [f"[ERROR] prompts must be a list of 1 to {PROMPTS}"])
    if not all(isinstance(prompt, dict) and {"title", "message"} <= prompt.keys() for prompt in prompts):
        raise SlackError("invalid_arguments", ["[ERROR] each prompt needs a title and a message"])
    current = _thread(api, args, optional=True)
    api.world.messages.set_status(replace(current, prompts=tuple(prompts)))
    return {}


def _thread(api: Api, args: Args, *, optional: bool = False) -> ThreadStatus:
    channel = api.joined_channel(args.required("channel_id", "channel_not_found"))
    thread_ts = args.text("thread_ts")
    if thread_ts is None and optional and channel.kind == "im":
        return api.world.messages.status(channel.id, "")
    if thread_ts is None or api.world.messages.find(channel.id, thread_ts) is None:
        raise SlackError("invalid_thread_ts")
    return api.world.messages.status(channel.id, thread_ts)
