"""People and user groups, as the app sees them."""

from bot.playground.payloads import group_json, stranger_json
from bot.playground.records import Json
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api, page


def users_info(api: Api, args: Args) -> Json:
    user = api.world.directory.user(args.required("user", "user_not_found"))
    return {"user": stranger_json(user, api.team)}


def users_list(api: Api, args: Args) -> Json:
    team = api.team
    at_home = [user for user in api.world.directory.users.values() if user.team == team]
    shown, more = page(at_home, args)
    return {"members": [stranger_json(user, team) for user in shown], "cache_ts": 1_700_000_000} | more


def usergroups_list(api: Api, args: Args) -> Json:
    with_users = args.flag("include_users")
    groups = api.world.directory.groups.values()
    return {"usergroups": [group_json(group, api.team, with_users=with_users) for group in groups]}


def usergroups_users_list(api: Api, args: Args) -> Json:
    return {"users": list(api.world.directory.group(args.required("usergroup")).users)}
