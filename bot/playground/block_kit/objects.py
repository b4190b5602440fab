"""Composition objects: texts, options, confirm dialogs."""

from bot.playground.block_kit.checks import Check, anything, each, flag, one_of, record, tagged, text

OPTION_TEXT = OPTION_DESCRIPTION = 75
OPTION_VALUE = 150
OPTIONS = 100


def plain(most: int) -> Check:
    return tagged({"plain_text": record({"type": one_of("plain_text"), "text": text(most)}, {"emoji": flag})})


def mrkdwn(most: int) -> Check:
    return tagged({"mrkdwn": record({"type": one_of("mrkdwn"), "text": text(most)}, {"verbatim": flag})})


def either_text(most: int) -> Check:
    return tagged(
        {
            "plain_text": record({"type": one_of("plain_text"), "text": text(most)}, {"emoji": flag}),
            "mrkdwn": record({"type": one_of("mrkdwn"), "text": text(most)}, {"verbatim": flag}),
        },
    )


def option(label: Check) -> Check:
    return record(
        {"text": label, "value": text(OPTION_VALUE)},
        {"description": either_text(OPTION_DESCRIPTION), "url": text(3000)},
    )


SELECT_OPTION = option(plain(OPTION_TEXT))
CHOICE_OPTION = option(either_text(OPTION_TEXT))

OPTION_GROUP = record({"label": plain(OPTION_TEXT), "options": each(SELECT_OPTION, OPTIONS)})

CONFIRM = record(
    {"title": plain(100), "text": either_text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)

SLACK_FILE = record({}, {"id": text(255), "url": text(3000)})
DISPATCH_CONFIG = record(
    {}, {"trigger_actions_on": each(one_of("on_enter_pressed", "on_character_entered"), 2)}
)
FILTER = record(
    {}, {"include": each(anything, 4), "exclude_external_shared_channels": flag, "exclude_bot_users": flag}
)
