"""The world at the start: one team with people of every kind that an access rule has to tell apart."""

from bot.playground.config import Cast
from bot.playground.records import SLACKBOT, Channel, User, UserGroup


def seeded_users(cast: Cast) -> list[User]:
    home = cast.team
    return [
        User(
            id=cast.bot_user,
            name=cast.bot_name,
            real_name=cast.bot_name.title(),
            team=home,
            bot_id=cast.bot,
            app_id=cast.app,
        ),
        User(id=cast.requester, name="rosa", real_name="Rosa Requester", team=home),
        User(id=cast.approver, name="amir", real_name="Amir Approver", team=home),
        User(id=cast.admin, name="ada", real_name="Ada Admin", team=home, is_admin=True),
        User(id=cast.guest, name="gus", real_name="Gus Guest", team=home, is_restricted=True),
        User(id=cast.stranger, name="sam", real_name="Sam Stranger", team=cast.other_team),
        User(id=cast.deleted, name="dana", real_name="Dana Departed", team=home, deleted=True),
        User(
            id=cast.other_bot_user,
            name="otherbot",
            real_name="Other Bot",
            team=home,
            bot_id=cast.other_bot,
            app_id="A0OTHER1",
        ),
        User(id=SLACKBOT, name="slackbot", real_name="Slackbot", team=home),
        *(
            User(id=member, name=f"member{number}", real_name=f"Member {number}", team=home)
            for number, member in enumerate(cast.crowd, start=1)
        ),
    ]


def seeded_channels(cast: Cast) -> list[Channel]:
    staff = (cast.requester, cast.approver, cast.admin, *cast.crowd)
    return [
        Channel(
            id=cast.general,
            name="general",
            members=(*staff, cast.guest, cast.bot_user, cast.other_bot_user),
            topic="Everything and nothing",
        ),
        Channel(
            id=cast.ops,
            name="ops",
            members=(*staff, cast.guest, cast.stranger, cast.bot_user, cast.other_bot_user),
            topic="Keeping the services up",
        ),
        Channel(id=cast.private, name="incidents", kind="private", members=(*staff, cast.bot_user)),
        Channel(id=cast.outside, name="outside", members=staff, topic="The bot is not a member here"),
    ]


def seeded_groups(cast: Cast) -> list[UserGroup]:
    return [
        UserGroup(id=cast.ops_group, handle="ops", name="Operations", users=(cast.approver, cast.admin)),
    ]
