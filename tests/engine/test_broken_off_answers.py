"""An answer that broke off and was asked for again: its first attempt is in nobody's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai_stand_in import Break, Reply, Say, StandIn, openai_stand_in
from sealing import SEAL

from bot.view.fold import fold, start
from harness_core import Harness, RunState
from harness_core.events import OutputTakenBack

if TYPE_CHECKING:
    from engine.conftest import Office

MODELS = """---
kind: Model
name: {name}
provider: openai
model: gpt-none
base_url: {url}
api_key: {key}
params: {{max_retries: 0}}
"""
BROKEN, WHOLE = Break("The answer is "), Say("The answer is forty-two.")


def speaking(office: Office, middleware: str, **servers: StandIn) -> None:
    """The agent with this middleware, and models that these servers have; the one called ``first`` is its own."""
    yaml = office.folder / "workspace.yaml"
    text = yaml.read_text().replace("model: demo\ninstructions", f"model: first\n{middleware}\ninstructions")
    yaml.write_text(
        text
        + "".join(
            MODELS.format(name=name, url=each.base_url, key=each.api_key) for name, each in servers.items()
        )
    )


@pytest.mark.parametrize("way", ["model_retry", "model_fallback"])
async def test_the_text_of_a_model_call_that_broke_off_is_taken_back_when_another_takes_its_place(
    office: Office, way: str
) -> None:
    script: list[Reply] = [BROKEN, WHOLE] if way == "model_retry" else [BROKEN]
    options = "initial_delay: 1ms" if way == "model_retry" else "models: [spare]"
    async with openai_stand_in(script) as first, openai_stand_in([WHOLE]) as spare:
        speaking(office, f"middleware: [{{type: {way}, {options}}}]", first=first, spare=spare)
        async with Harness(office.store, office.holder, seal=SEAL) as harness:
            ran = await harness.run("what is it?")
            events = await harness.reads.list_events(ran.run_id)
            run = await harness.reads.get_run(ran.run_id)
            said = (await harness.reads.messages(ran.thread_id)).items[0].text

    assert ran.output == said == "The answer is forty-two."
    assert [each.payload.text for each in events if isinstance(each.payload, OutputTakenBack)] == [""]
    before_the_end = fold(start(run), [each for each in events if each.payload.name != "run.completed"])
    assert before_the_end.text == "The answer is forty-two."


async def test_what_there_was_of_an_answer_stays_where_no_other_call_takes_its_place(office: Office) -> None:
    async with openai_stand_in([BROKEN]) as first:
        speaking(office, "middleware: []", first=first)
        async with Harness(office.store, office.holder, seal=SEAL) as harness:
            ran = await harness.run("what is it?")

    assert (ran.state, ran.output) == (RunState.FAILED, "The answer is")
