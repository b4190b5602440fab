"""What a refusal of Slack's means for a delivery. Names as in Slack's reference of each method."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class Remedy(Enum):
    REPOST = auto()  # that message cannot be edited any more; a new one takes its place
    SIMPLIFY = auto()  # the content was refused; say the same with less
    GIVE_UP = auto()  # there is no such place, or it is closed to us
    FIX_TOKEN = auto()  # an operator must act; until then nothing can be sent to this team


_REPOST: Final = frozenset(
    {
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
        "message_not_owned_by_app",
        "streaming_state_conflict",
    }
)
_GIVE_UP: Final = frozenset(
    {
        "access_denied",
        "account_inactive",
        "cannot_reply_to_message",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_thread_ts",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "no_permission",
        "not_in_channel",
        "not_installed",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
        "token_revoked",
    }
)
_FIX_TOKEN: Final = frozenset(
    {
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
    }
)


def remedy(error: str) -> Remedy:
    """What to do about ``error``. An unknown one is taken as a fault of the content: that ends by itself."""
    if error in _REPOST:
        return Remedy.REPOST
    if error in _GIVE_UP:
        return Remedy.GIVE_UP
    if error in _FIX_TOKEN:
        return Remedy.FIX_TOKEN
    return Remedy.SIMPLIFY
