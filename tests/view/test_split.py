from __future__ import annotations

import html
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.view.markdown import neutralise
from bot.view.split import Piece, split

LIMIT = 3_200
_PARSER = MarkdownIt("commonmark").enable("table")

_sentence = st.integers(1, 90).map(lambda size: " ".join(["word"] * size))
_paragraph = st.lists(_sentence, min_size=1, max_size=4).map("\n".join)
_code = st.builds(
    lambda mark, language, lines, indent: "\n".join(
        [f"{indent}{mark}{language}", *(f"{indent}code {line}" for line in range(lines)), f"{indent}{mark}"]
    ),
    st.sampled_from(["```", "~~~~", "`````"]),
    st.sampled_from(["", "py", "shell session"]),
    st.integers(0, 400),
    st.sampled_from(["", "> "]),
)
_listed_code = st.integers(0, 400).map(
    lambda lines: "\n".join(["1. do:", "   ```sh", *(f"   code {line}" for line in range(lines)), "   ```"])
)
_table = st.integers(0, 60).map(
    lambda rows: "\n".join(
        ["| name | value |", "| --- | --- |", *(f"| row {row} | x |" for row in range(rows))]
    )
)
_long_line = st.integers(3_000, 9_000).map(lambda size: "x" * size)
_documents = st.lists(
    st.one_of(_paragraph, _code, _listed_code, _table, _long_line), min_size=1, max_size=8
).map("\n\n".join)
_soup = st.lists(
    st.sampled_from(
        ["```", "~~~\n", "> ", "- ", "\n", "\n\n", "| a ", "|---", "<", "x" * 700, " " * 900, "`"]
    ),
    max_size=40,
).map("".join)

_MENTION = re.compile(r"<[!@#]")
_TOKENS = ["<!channel>", "<!here|here>", "<@U012ABCDEF>", "<#C012ABCDEF|x>", "<!subteam^S012|@ops>"]
_token = st.sampled_from(_TOKENS)
_tokens_everywhere = st.lists(
    st.one_of(
        st.builds("```{}\n{}\n```".format, _token, st.integers(0, 400).map("code\n".__mul__)),
        st.builds("> ~~~~{} x\n{}".format, _token, st.integers(0, 400).map("> code\n".__mul__)),
        st.builds(
            "| {} | b |\n| --- | --- |\n{}".format, _token, st.integers(0, 400).map("| c | d |\n".__mul__)
        ),
        st.builds("{}{}".format, st.integers(3_000, 7_000).map("x".__mul__), _token),
        _token,
    ),
    min_size=1,
    max_size=6,
).map("\n\n".join)


def code_lines(markdown: str) -> list[str]:
    """The lines of all code blocks, as a parser sees them."""
    tokens = _PARSER.parse(markdown)
    return [line for token in tokens if token.type == "fence" for line in token.content.splitlines()]


def joined(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


@given(_documents, st.booleans())
@settings(max_examples=60)
def test_splitting_loses_nothing_and_stays_within_the_limit(document: str, live: bool) -> None:
    pieces = split(document, live=live, limit=LIMIT)
    assert joined(pieces) == neutralise(document)
    assert all(len(piece.shown) <= LIMIT for piece in pieces)
    assert all(piece.shown.strip() for piece in pieces)


@given(_tokens_everywhere, st.booleans())
@example("```<!channel>\n" + "code\n" * 2_000, False)
@settings(max_examples=60)
def test_no_part_shows_anything_that_slack_would_read_as_a_mention(text: str, live: bool) -> None:
    assert not [piece for piece in split(text, live=live, limit=LIMIT) if _MENTION.search(piece.shown)]


@given(_soup, st.booleans())
@settings(max_examples=200)
def test_anything_at_all_can_be_split(text: str, live: bool) -> None:
    pieces = split(text, live=live, limit=LIMIT)
    assert html.unescape(joined(pieces)) == (text if text.strip() else "")
    assert all(0 < len(piece.shown) <= LIMIT for piece in pieces)


@given(_documents)
@settings(max_examples=60)
def test_code_is_code_in_every_part_and_nothing_else_becomes_code(document: str) -> None:
    shown = [line for piece in split(document, live=False, limit=LIMIT) for line in code_lines(piece.shown)]
    assert shown == code_lines(document)


@given(_documents)
@settings(max_examples=40)
def test_growing_text_leaves_the_parts_before_the_last_two_as_they_are(document: str) -> None:
    half = document[: document.rfind("\n", 0, len(document) // 2) + 1]
    before = split(half, live=True, limit=LIMIT)
    after = split(document, live=True, limit=LIMIT)
    assert before[:-2] == after[: max(0, len(before) - 2)]


def test_a_blank_answer_has_no_parts() -> None:
    assert split(" \n\t\n", live=False) == []


def test_a_short_answer_is_one_part_and_is_closed_for_display() -> None:
    assert split("**bo", live=True) == [Piece(text="**bo", shown="**bo**")]
    assert split("**bo", live=False) == [Piece(text="**bo", shown="**bo")]


def test_the_cut_is_at_a_paragraph_when_one_is_near() -> None:
    first, second = "one " * 400, "two " * 400
    pieces = split(f"{first}\nline\n\n{second}", live=False, limit=LIMIT)
    assert [piece.text for piece in pieces] == [f"{first}\nline\n\n", second]


def test_code_is_closed_and_opened_again_with_its_language() -> None:
    pieces = split(
        "```python\n" + "print('some line of code')\n" * 150 + "```\nDone.", live=False, limit=LIMIT
    )
    assert len(pieces) == 2
    assert pieces[0].shown.endswith("')\n```")
    assert pieces[1].shown.startswith("```python\nprint(")
    assert pieces[1].shown.endswith("\n```\nDone.")


def test_code_in_a_list_goes_on_at_the_margin() -> None:
    pieces = split(
        "1. run\n   ```sh\n" + "   echo some line of shell\n" * 150 + "   ```", live=False, limit=LIMIT
    )
    assert pieces[1].shown.startswith("```sh\necho some")
    assert pieces[1].shown.endswith("\n```")


def test_a_table_moves_as_a_whole() -> None:
    table = "| a | b |\n| --- | --- |\n" + "| some cell | another cell |\n" * 60
    pieces = split("intro " * 200 + "\n\n" + table, live=False, limit=LIMIT)
    assert [piece.text.count("| --- |") for piece in pieces] == [0, 1]
    assert pieces[1].text == table


def test_a_table_longer_than_a_part_gets_its_head_again() -> None:
    head = "| a | b |\n| --- | --- |\n"
    pieces = split(head + "| some cell | another cell |\n" * 200, live=False, limit=LIMIT)
    assert len(pieces) > 1
    assert all(piece.shown.startswith(head) for piece in pieces)


def test_a_line_without_end_is_cut_at_a_space() -> None:
    pieces = split("word " * 2_000, live=False, limit=LIMIT)
    assert all(piece.text.endswith("word ") for piece in pieces)
    assert all(piece.shown.lstrip("\u200b").startswith("word ") for piece in pieces)


def test_the_rest_of_a_cut_line_starts_no_block() -> None:
    pieces = split("x" * 2_499 + " # not a heading " + "y" * 2_000, live=False, limit=LIMIT)
    tokens = [token.type for piece in pieces for token in _PARSER.parse(piece.shown)]
    assert "heading_open" not in tokens


def test_no_entity_is_cut_in_two() -> None:
    pieces = split("<" * 9_000, live=False, limit=LIMIT)
    assert "".join(html.unescape(piece.shown).lstrip("\u200b") for piece in pieces) == "<" * 9_000


def test_an_answer_of_hundreds_of_thousands_of_characters_is_split_whole() -> None:
    answer = ("A paragraph of some words.\n\n```py\n" + "x = 1\n" * 50 + "```\n\n") * 1_000
    pieces = split(answer, live=True)
    assert joined(pieces) == answer
    assert max(len(piece.shown) for piece in pieces) <= 11_000
