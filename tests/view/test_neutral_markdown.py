from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.view.markdown import code_spans, neutralise

_SLACK_TOKEN = re.compile(r"<(?:!(?:channel|here|everyone|subteam|date)|@[UW]|#C)")
_TOKENS = [
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S012|@ops>",
    "<!date^1^{date}|x>",
    "<@U012ABCDEF>",
    "<#C012ABCDEF|general>",
    "<https://evil.example|your bank>",
]
_MARKUP = [
    "`",
    "``",
    "```",
    "\n```\n",
    "~~~\n",
    "\n",
    "\n\n",
    "> ",
    "- ",
    "    ",
    "\\",
    "|",
    "![",
    "](",
    ")",
    " ",
]
_soup = st.lists(st.one_of(st.sampled_from(_TOKENS), st.sampled_from(_MARKUP), st.text(max_size=5))).map(
    "".join
)


@pytest.mark.parametrize("token", _TOKENS)
def test_what_slack_would_parse_is_shown_as_text(token: str) -> None:
    safe = neutralise(f"Hello {token}!")
    assert "<" not in safe
    assert html.unescape(safe) == f"Hello {token}!"


@given(_soup)
def test_no_token_of_slack_survives_anywhere_in_any_markdown(text: str) -> None:
    assert not _SLACK_TOKEN.search(neutralise(text))


@given(_soup)
def test_outside_code_spans_and_blocks_no_angle_bracket_opens_anything(text: str) -> None:
    without_code = text.replace("`", "").replace("~", "")
    assert "<" not in neutralise(without_code)


@given(_soup)
def test_no_image_is_left_to_be_fetched(text: str) -> None:
    tokens = MarkdownIt().enable("table").parse(neutralise(text))
    children = [child for token in tokens for child in token.children or []]
    assert not [child for child in children if child.type == "image"]


@given(_soup)
def test_neutral_markdown_is_the_same_characters_but_for_entities_and_images(text: str) -> None:
    without_images = text.replace("!", "")
    shown = html.unescape(
        neutralise(without_images)
        .replace("&", "&amp;")
        .replace("&amp;lt;", "&lt;")
        .replace("&amp;gt;", "&gt;")
    )
    written = html.unescape(
        without_images.replace("&", "&amp;").replace("&amp;lt;", "&lt;").replace("&amp;gt;", "&gt;")
    )
    assert shown.replace("\u200b", "") == written.replace("\u200b", "")


def test_neutralising_twice_is_neutralising_once() -> None:
    once = neutralise("a <@U012ABCDEF> `<!channel>` ![x](https://e.example/x.png)")
    assert neutralise(once) == once


def test_code_keeps_its_characters_so_that_it_can_be_copied() -> None:
    code = "```html\n<!DOCTYPE html>\n<p>a && b</p>\n```\nand `List<@NonNull T>` or ``a ` <b>``"
    assert neutralise(code) == code


def test_a_token_in_code_is_broken_by_an_invisible_space() -> None:
    assert neutralise("```\n<!channel> hi\n```") == "```\n<\u200b!channel> hi\n```"
    assert neutralise("say `<@U012ABCDEF>`") == "say `<\u200b@U012ABCDEF>`"


def test_quotes_still_quote() -> None:
    assert neutralise("> quoted\n>> twice\n- > in a list") == "> quoted\n>> twice\n- > in a list"
    assert neutralise("a > b -> c") == "a &gt; b -&gt; c"


def test_ampersands_stay_as_they_are() -> None:
    assert (
        neutralise("[q](https://e.example/?a=1&b=2) &lt;!here&gt;")
        == "[q](https://e.example/?a=1&b=2) &lt;!here&gt;"
    )


def test_images_become_links() -> None:
    assert neutralise("![a cat](https://e.example/c.png)") == "[a cat](https://e.example/c.png)"
    assert neutralise("![](https://e.example/c.png)") == "[image](https://e.example/c.png)"
    assert neutralise("!![a][ref] `![a](b)`") == "[a][ref] `![a](b)`"


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("a `b` c", ["`b`"]),
        ("a ``b ` c`` d", ["``b ` c``"]),
        ("a ` b", []),
        ("a \\`b` c", []),
        ("`a` `b`", ["`a`", "`b`"]),
        ("``a` b", []),
    ],
)
def test_code_spans_are_found_as_commonmark_finds_them(line: str, spans: list[str]) -> None:
    assert [line[start:end] for start, end in code_spans(line)] == spans
