"""Every Web API method the playground knows."""

from collections.abc import Mapping

from bot.playground.web_api import assistant, auth, chat, conversations, files, reactions, users, views
from bot.playground.web_api.method import Method

CONNECTIONS_OPEN = "apps.connections.open"

METHODS: Mapping[str, Method] = {
    CONNECTIONS_OPEN: auth.connections_open,
    "assistant.threads.setStatus": assistant.set_status,
    "assistant.threads.setSuggestedPrompts": assistant.set_suggested_prompts,
    "assistant.threads.setTitle": assistant.set_title,
    "auth.test": auth.auth_test,
    "bots.info": auth.bots_info,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_conversations,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_conversation,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.getUploadURLExternal": files.get_upload_url,
    "reactions.add": reactions.add,
    "reactions.remove": reactions.remove,
    "team.info": auth.team_info,
    "usergroups.list": users.usergroups_list,
    "usergroups.users.list": users.usergroups_users_list,
    "users.info": users.users_info,
    "users.list": users.users_list,
    "views.open": views.open_view,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
