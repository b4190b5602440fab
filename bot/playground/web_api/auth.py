"""Who the app is, where it lives, and its way into Socket Mode."""

from bot.playground.errors import SlackError
from bot.playground.payloads import bot_json
from bot.playground.records import Json
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api


def auth_test(api: Api, _args: Args) -> Json:
    return {
        "url": f"{api.base_url}/",
        "team": api.config.cast.team_name,
        "user": api.bot.name,
        "team_id": api.team,
        "user_id": api.bot.id,
        "bot_id": api.bot.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(api: Api, args: Args) -> Json:
    wanted = args.text("bot") or api.bot.bot_id
    for user in api.world.directory.users.values():
        if user.bot_id is not None and user.bot_id == wanted:
            return {"bot": bot_json(user)}
    raise SlackError("bot_not_found")


def team_info(api: Api, _args: Args) -> Json:
    name = api.config.cast.team_name
    return {"team": {"id": api.team, "name": name, "domain": name.lower(), "email_domain": "", "icon": {}}}


def connections_open(api: Api, _args: Args) -> Json:
    ticket = api.sockets.issue_ticket()
    return {
        "url": f"{api.base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={api.config.cast.app}"
    }
