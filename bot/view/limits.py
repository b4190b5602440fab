"""Slack's limits, and the margins that are kept below them. Sizes are in characters.

Sources: https://docs.slack.dev/reference/block-kit/blocks and its element pages,
https://docs.slack.dev/reference/block-kit/composition-objects, and the models of `slack_sdk.models.blocks`.
Where Slack documents less than it enforces, the line says where the figure was observed.
"""

from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100

MESSAGE_TEXT: Final = 4_000
"""`chat.update` answers msg_too_long above it; https://docs.slack.dev/reference/methods/chat.update"""
ALL_BLOCK_TEXT: Final = 13_200
"""All texts of a message together: msg_blocks_too_long above it; https://github.com/slackapi/bolt-js/issues/2509"""
MARKDOWN: Final = 12_000
"""All `markdown` blocks of one payload together."""

TEXT_OBJECT: Final = 3_000
"""`section` text, and every text object that has no smaller limit of its own."""
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER: Final = 150
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
URL: Final = 3_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
INPUT_LABEL: Final = 2_000
INPUT_HINT: Final = 2_000
INPUT: Final = 3_000
"""What a person can write into one input; a longer initial value is refused."""
OPTIONS: Final = 100
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
ACTION_ID: Final = 255
BLOCK_ID: Final = 255

MODAL_TITLE: Final = 24
MODAL_CLOSE: Final = 24
PRIVATE_METADATA: Final = 3_000
CALLBACK_ID: Final = 255
VIEW_PAYLOAD: Final = 250_000
"""Bytes of JSON; view_too_large above it."""

FALLBACK_TEXT: Final = 3_900
"""Of the answer, in a message's `text`."""
MARKDOWN_PART: Final = 11_000
"""Of the answer, in one message: room for status, steps and footer below ALL_BLOCK_TEXT."""
ARGUMENTS: Final = 2_500
"""Of a card's arguments; longer ones are read in a modal."""
REASON: Final = 300
"""Of what an agent says about a call."""
LABEL: Final = 150
"""A step's label or an agent's name inside a sentence."""
SENTENCE: Final = 600
"""A sentence that came from outside this package, such as the reason of a failure."""
