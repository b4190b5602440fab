from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from view.view_approvals import approval, records

from bot.playground.block_kit import checked_view
from bot.playground.people.forms import state_values
from bot.view.approval_modals import details_modal, edit_modal
from bot.view.arguments_form import read_form
from bot.view.kept_form import kept_form
from harness_core.approvals import Approval

SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "env": {"enum": ["prod", "staging"]},
        "password": {"type": "string"},
    },
}


def test_a_form_comes_back_with_what_was_written_and_why_it_was_refused_but_without_secrets() -> None:
    told = approval({"count": 1, "env": "prod", "password": "hunter2"}, schema=SCHEMA, secret=("password",))
    view = edit_modal(told)
    written: dict[Any, Any] = {"arg:count": "many", "arg:env": '"staging"', "arg:password": "hunter3"}
    values = dict(state_values(view["blocks"], {(name, "value"): text for name, text in written.items()}))
    kept = kept_form(view, values, {"arg:count": "Write a whole number."})
    assert kept is not None
    checked_view(kept, home=False)
    assert kept["blocks"][0]["text"]["text"] == "count: Write a whole number."
    elements = {each["block_id"]: each["element"] for each in kept["blocks"] if each["type"] == "input"}
    assert elements["arg:count"]["initial_value"] == "many"
    assert elements["arg:env"]["initial_option"]["value"] == '"staging"'
    assert "hunter" not in json.dumps(kept)
    again = kept_form(kept, values, {"arg:count": "Still not."})
    assert again is not None
    assert [each["text"]["text"] for each in again["blocks"] if each.get("block_id") == "problems"] == [
        "count: Still not."
    ]


@given(records)
def test_a_form_that_comes_back_untouched_reads_as_before(told: Approval) -> None:
    view = edit_modal(told)
    values = dict(state_values(view["blocks"], {}))
    kept = kept_form(view, values, {"": "Try again."})
    if kept is not None:
        checked_view(kept, home=False)
        assert read_form(told, dict(state_values(kept["blocks"], {}))) == read_form(told, values)


def test_what_nothing_was_written_into_is_not_kept() -> None:
    assert kept_form(details_modal(approval()), {}, {"": "Try again."}) is None
