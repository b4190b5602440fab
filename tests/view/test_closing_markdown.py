from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.view.markdown import closing
from bot.view.scan import scan

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_ANSWER = """Intro with **bold *and nested* text** and `code <x>`.

- first **item
  goes on**
- second `item`

| name | value |
| :--- | ---: |
| a | `1` |

> a *quoted* line

```python
print("**not bold**")
```

~~Gone~~ and __kept__, 2 * 3 and snake_case_name.
"""


def shown(text: str) -> str:
    return text.rstrip() + closing(list(scan(text)), live=True)


@pytest.mark.parametrize(
    ("written", "closed"),
    [
        ("some **bold te", "some **bold te**"),
        ("some **bold ", "some **bold**"),
        ("some **bold*", "some **bold**"),
        ("some **bold *both", "some **bold *both***"),
        ("a ~~gone", "a ~~gone~~"),
        ("run `ls -l", "run `ls -l`"),
        ("**run `ls -l", "**run `ls -l`**"),
        ("two * three", "two * three"),
        ("a_b", "a_b"),
        ("2*3", "2*3"),
        ("* item", "* item"),
        ("a **", "a **"),
        ("a `", "a `"),
        ("\\*no", "\\*no"),
        ("**one**\n\ntwo", "**one**\n\ntwo"),
        ("- **one\n- two", "- **one\n- two"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```py\nx = 1\n``", "```py\nx = 1\n```"),
        ("```py\nx = 1\n```", "```py\nx = 1\n```"),
        ("~~~~\na\n~~~", "~~~~\na\n~~~~"),
        ("> ```\n> a", "> ```\n> a\n> ```"),
        ("| a | b |\n", "| a | b |\n| --- | --- |"),
        ("| a | b |\n| -", "| a | b |\n| - | --- |"),
        ("| a | b |\n| --- |", "| a | b |\n| --- | --- |"),
        ("| a | b |\n| :", "| a | b |\n| :- | --- |"),
        ("| a | b |\n| --- | --- |\n| 1", "| a | b |\n| --- | --- |\n| 1"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_half_written_markdown_is_closed_for_display(written: str, closed: str) -> None:
    assert shown(written) == closed


@pytest.mark.parametrize("end", range(1, len(_ANSWER)))
def test_every_beginning_of_an_answer_shows_no_open_block_and_no_stray_mark(end: int) -> None:
    beginning = _ANSWER[:end]
    tokens = _PARSER.parse(shown(beginning))
    texts = [child.content for token in tokens for child in token.children or [] if child.type == "text"]
    # A mark that was only just written has nothing after it that it could emphasise.
    just_written = beginning.rstrip().endswith(("*", "_", "~", "`"))
    stray = [text for text in texts if any(mark in text for mark in ("**", "~~", "`", "*and"))]
    assert just_written or not stray


def test_a_finished_answer_gets_only_its_code_closed() -> None:
    assert closing(list(scan("5 **stars")), live=False) == ""
    assert closing(list(scan("| a | b |\n")), live=False) == ""
    assert closing(list(scan("```\nx")), live=False) == "\n```"


@given(
    st.lists(
        st.sampled_from(["```", "~~~", "> ", "- ", "\n", "a", "`", "**", "|", "-", ":", " ", "\\", "x\n"])
    ).map("".join)
)
def test_closing_what_is_closed_adds_nothing_to_a_code_block(text: str) -> None:
    closed = text.rstrip() + closing(list(scan(text)), live=False)
    assert closing(list(scan(closed)), live=False) == ""


def test_a_hostile_line_is_closed_in_reasonable_time() -> None:
    for hostile in (
        "*a _b " * 20_000,
        "`" * 50_000,
        "".join("`" * n + "x" for n in range(300)),
        "|-" + " " * 50_000 + "x\n|",
    ):
        assert len(closing(list(scan(hostile)), live=True)) <= len(hostile)
