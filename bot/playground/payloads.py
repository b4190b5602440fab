"""Records as the platform writes them on the wire. Pure: nothing here changes the world."""

from bot.playground.records import Channel, FileInfo, Json, Message, User, UserGroup, View
from bot.playground.world import World

_FILETYPES = {"text/plain": "text", "application/json": "json", "image/png": "png", "application/pdf": "pdf"}


def user_json(user: User) -> Json:
    return {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_offset": user.tz_offset,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.bot_id is not None,
        "is_app_user": False,
        "updated": 1_700_000_000,
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "team": user.team,
            "email": f"{user.name}@playground.example",
            **({"bot_id": user.bot_id, "api_app_id": user.app_id} if user.bot_id else {}),
        },
    }


def stranger_json(user: User, team: str) -> Json:
    """A user, with the mark that the person belongs to another team than `team`."""
    return user_json(user) | ({"is_stranger": True} if user.team != team else {})


def channel_json(world: World, channel: Channel) -> Json:
    directory = world.directory
    shared = directory.is_shared(channel)
    body: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": directory.cast.team,
    }
    if channel.kind == "im":
        return body | {"user": channel.members[0], "is_user_deleted": False, "priority": 0}
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "private",
        "is_private": channel.kind != "channel",
        "is_mpim": channel.kind == "mpim",
        "is_general": channel.id == directory.cast.general,
        "is_shared": shared,
        "is_ext_shared": shared,
        "is_member": directory.cast.bot_user in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def group_json(group: UserGroup, team: str, *, with_users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": team,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return body | ({"users": list(group.users)} if with_users else {})


def file_json(info: FileInfo, base_url: str) -> Json:
    private = f"{base_url}/files/{info.id}/{info.name}"
    return {
        "id": info.id,
        "name": info.name,
        "title": info.title,
        "mimetype": info.mimetype,
        "filetype": _FILETYPES.get(info.mimetype, "binary"),
        "size": info.size,
        "user": info.user,
        "created": info.created,
        "timestamp": info.created,
        "mode": "hosted",
        "is_external": False,
        "channels": list(info.shared_in),
        "url_private": private,
        "url_private_download": f"{private}?download=1",
    }


def message_json(world: World, message: Message, base_url: str, *, metadata: bool = True) -> Json:
    """A stored message; `metadata` says whether its metadata is shown."""
    author = world.directory.users[message.user]
    body: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": author.team,
    }
    if message.subtype:
        body["subtype"] = message.subtype
    if message.bot_id:
        body["bot_id"] = message.bot_id
        body["app_id"] = message.app_id
        body["bot_profile"] = bot_json(author)
    if message.blocks:
        body["blocks"] = list(message.blocks)
    if message.attachments:
        body["attachments"] = list(message.attachments)
    if metadata and message.metadata:
        body["metadata"] = message.metadata
    if message.files:
        body["files"] = [file_json(info, base_url) for info in message.files]
    if message.hidden:
        body["hidden"] = True
    if message.edited_ts:
        body["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in message.reactions.items()
        ]
    return body | _thread_fields(world, message)


def bot_json(user: User) -> Json:
    return {
        "id": user.bot_id,
        "deleted": user.deleted,
        "name": user.name,
        "updated": 1_700_000_000,
        "app_id": user.app_id,
        "user_id": user.id,
        "team_id": user.team,
        "icons": {},
    }


def view_json(view: View, world: World) -> Json:
    cast = world.directory.cast
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
        **view.body,
        "id": view.id,
        "team_id": cast.team,
        "type": view.kind,
        "state": {"values": {}},
        "hash": view.hash,
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": cast.app,
        "app_installed_team_id": cast.team,
        "bot_id": cast.bot,
    }


def _thread_fields(world: World, message: Message) -> Json:
    if message.thread_ts is None:
        return {}
    if message.is_reply:
        root = world.messages.find(message.channel, message.root)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": root.user} if root else {})
    replies = world.messages.replies(message.channel, message.ts)
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.thread_ts,
        "reply_count": len(replies),
        "reply_users": users[:5],
        "reply_users_count": len(users),
        "is_locked": False,
        "subscribed": world.directory.cast.bot_user in users,
    } | ({"latest_reply": replies[-1].ts} if replies else {})
