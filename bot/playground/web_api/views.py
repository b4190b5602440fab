"""`views.*`: modals against a trigger id, and the Home tab."""

from typing import Any

from bot.playground.block_kit import checked_view
from bot.playground.errors import SlackError
from bot.playground.payloads import view_json
from bot.playground.records import Json
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api


def open_view(api: Api, args: Args) -> Json:
    body = checked_view(_view(args), home=False)
    user = api.triggers.exchange(_trigger(args))
    return {"view": view_json(api.world.views.open(user, body), api.world)}


def push(api: Api, args: Args) -> Json:
    body = checked_view(_view(args), home=False)
    user = api.triggers.exchange(_trigger(args))
    return {"view": view_json(api.world.views.push(user, body), api.world)}


def update(api: Api, args: Args) -> Json:
    views = api.world.views
    external_id, view_id = args.text("external_id"), args.text("view_id")
    if external_id is None and view_id is None:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: view_id or external_id"])
    current = views.get(view_id) if view_id else views.by_external_id(external_id or "")
    body = checked_view(_view(args), home=current.kind == "home")
    return {"view": view_json(views.update(current, body, args.text("hash")), api.world)}


def publish(api: Api, args: Args) -> Json:
    user = api.world.directory.user(args.required("user_id"))
    body = checked_view(_view(args), home=True)
    view = api.world.views.publish_home(user.id, body, args.text("hash"))
    return {"view": view_json(view, api.world)}


def _view(args: Args) -> Any:
    view = args.structure("view", "invalid_arguments")
    if view is None:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: view"])
    return view


def _trigger(args: Args) -> str:
    return args.text("trigger_id") or args.required("interactivity_pointer")
