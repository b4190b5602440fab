"""Block elements: what sits inside actions, inputs, accessories and contexts, with the platform's limits."""

from collections.abc import Mapping

from bot.playground.block_kit.checks import (
    Check,
    all_of,
    anything,
    each,
    either,
    flag,
    one_of,
    record,
    text,
    whole,
)
from bot.playground.block_kit.objects import (
    CHOICE_OPTION,
    CONFIRM,
    DISPATCH_CONFIG,
    FILTER,
    OPTION_GROUP,
    OPTIONS,
    SELECT_OPTION,
    SLACK_FILE,
    plain,
)

ACTION_ID = text(255)
PLACEHOLDER = plain(150)
MOST_INPUT = 3000

_TYPE = {"type": anything}
_ACTION: Mapping[str, Check] = {"action_id": ACTION_ID, "confirm": CONFIRM, "focus_on_load": flag}
_SELECT: Mapping[str, Check] = {**_ACTION, "placeholder": PLACEHOLDER}
_MULTI: Mapping[str, Check] = {**_SELECT, "max_selected_items": whole(1, 100)}
_TYPED: Mapping[str, Check] = {
    "action_id": ACTION_ID,
    "placeholder": PLACEHOLDER,
    "focus_on_load": flag,
    "dispatch_action_config": DISPATCH_CONFIG,
}
_STATIC: Mapping[str, Check] = {
    "options": each(SELECT_OPTION, OPTIONS),
    "option_groups": each(OPTION_GROUP, OPTIONS),
}

BUTTON = record(
    {**_TYPE, "text": plain(75)},
    {
        "action_id": ACTION_ID,
        "url": text(3000),
        "value": text(2000, 0),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": text(75),
        "agent_prompt": text(4000),
        "agent_prompt_display": anything,
        "visible_to_user_ids": each(text(30), 100),
    },
)
IMAGE = all_of(
    record({**_TYPE, "alt_text": text(2000)}, {"image_url": text(3000), "slack_file": SLACK_FILE}),
    either("image_url", "slack_file"),
)
_FEEDBACK = record({"text": plain(75), "value": text(2000)}, {"accessibility_label": text(75)})

SELECTS: Mapping[str, Check] = {
    "static_select": all_of(
        record(_TYPE, {**_SELECT, **_STATIC, "initial_option": SELECT_OPTION}),
        either("options", "option_groups"),
    ),
    "external_select": record(
        _TYPE, {**_SELECT, "min_query_length": whole(0, 100), "initial_option": SELECT_OPTION}
    ),
    "users_select": record(_TYPE, {**_SELECT, "initial_user": text(30)}),
    "conversations_select": record(
        _TYPE,
        {
            **_SELECT,
            "initial_conversation": text(30),
            "response_url_enabled": flag,
            "default_to_current_conversation": flag,
            "filter": FILTER,
        },
    ),
    "channels_select": record(_TYPE, {**_SELECT, "initial_channel": text(30), "response_url_enabled": flag}),
}
MULTI_SELECTS: Mapping[str, Check] = {
    "multi_static_select": all_of(
        record(_TYPE, {**_MULTI, **_STATIC, "initial_options": each(SELECT_OPTION, OPTIONS)}),
        either("options", "option_groups"),
    ),
    "multi_external_select": record(
        _TYPE,
        {**_MULTI, "min_query_length": whole(0, 100), "initial_options": each(SELECT_OPTION, OPTIONS)},
    ),
    "multi_users_select": record(_TYPE, {**_MULTI, "initial_users": each(text(30), OPTIONS)}),
    "multi_conversations_select": record(
        _TYPE,
        {
            **_MULTI,
            "initial_conversations": each(text(30), OPTIONS),
            "default_to_current_conversation": flag,
            "filter": FILTER,
        },
    ),
    "multi_channels_select": record(_TYPE, {**_MULTI, "initial_channels": each(text(30), OPTIONS)}),
}
PICKERS: Mapping[str, Check] = {
    "datepicker": record(_TYPE, {**_SELECT, "initial_date": text(10, 10)}),
    "timepicker": record(_TYPE, {**_SELECT, "initial_time": text(5, 5), "timezone": text(60)}),
    "datetimepicker": record(_TYPE, {**_ACTION, "initial_date_time": whole(1_000_000_000, 9_999_999_999)}),
}
CHOICES: Mapping[str, Check] = {
    "checkboxes": record(
        {**_TYPE, "options": each(CHOICE_OPTION, 10)}, {**_ACTION, "initial_options": each(CHOICE_OPTION, 10)}
    ),
    "radio_buttons": record(
        {**_TYPE, "options": each(CHOICE_OPTION, 10)}, {**_ACTION, "initial_option": CHOICE_OPTION}
    ),
}
TYPED_INPUTS: Mapping[str, Check] = {
    "plain_text_input": record(
        _TYPE,
        {
            **_TYPED,
            "initial_value": text(MOST_INPUT, 0),
            "multiline": flag,
            "min_length": whole(0, MOST_INPUT),
            "max_length": whole(1, MOST_INPUT),
        },
    ),
    "rich_text_input": record(
        _TYPE, {**_TYPED, "initial_value": anything, "min_lines": whole(1, 50), "max_lines": whole(1, 50)}
    ),
    "email_text_input": record(_TYPE, {**_TYPED, "initial_value": text(MOST_INPUT, 0)}),
    "url_text_input": record(_TYPE, {**_TYPED, "initial_value": text(MOST_INPUT, 0)}),
    "number_input": record(
        {**_TYPE, "is_decimal_allowed": flag},
        {**_TYPED, "initial_value": text(40, 0), "min_value": text(40), "max_value": text(40)},
    ),
    "file_input": record(
        _TYPE, {"action_id": ACTION_ID, "filetypes": each(text(20), 100), "max_files": whole(1, 10)}
    ),
}
OVERFLOW = record({**_TYPE, "options": each(SELECT_OPTION, 5)}, {"action_id": ACTION_ID, "confirm": CONFIRM})
WORKFLOW_BUTTON = record(
    {**_TYPE, "text": plain(75), "workflow": anything},
    {"action_id": ACTION_ID, "style": one_of("primary", "danger"), "accessibility_label": text(75)},
)

IN_ACTIONS: Mapping[str, Check] = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    "workflow_button": WORKFLOW_BUTTON,
    **CHOICES,
    **PICKERS,
    **SELECTS,
    **MULTI_SELECTS,
    "rich_text_input": TYPED_INPUTS["rich_text_input"],
}
IN_SECTION: Mapping[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "overflow": OVERFLOW,
    "workflow_button": WORKFLOW_BUTTON,
    **CHOICES,
    "datepicker": PICKERS["datepicker"],
    "timepicker": PICKERS["timepicker"],
    **SELECTS,
    **MULTI_SELECTS,
}
IN_INPUT: Mapping[str, Check] = {**TYPED_INPUTS, **CHOICES, **PICKERS, **SELECTS, **MULTI_SELECTS}
IN_CONTEXT_ACTIONS: Mapping[str, Check] = {
    "feedback_buttons": record(
        {**_TYPE, "positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": ACTION_ID}
    ),
    "icon_button": record(
        {**_TYPE, "icon": text(60), "text": plain(75)},
        {
            "action_id": ACTION_ID,
            "value": text(2000, 0),
            "confirm": CONFIRM,
            "accessibility_label": text(75),
            "visible_to_user_ids": each(text(30), 100),
        },
    ),
}
INTERACTIVE = frozenset({*IN_ACTIONS, *IN_INPUT, *IN_CONTEXT_ACTIONS})
