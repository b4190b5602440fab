"""From a mention to the final answer with a model that is asked over HTTP, as a provider's is."""

from __future__ import annotations

import json

from fleet import Fleet, start_fleet
from openai_stand_in import Call, CallTools, Reply, Say, StandIn, openai_stand_in

WORDS = [f"word{number}" for number in range(40)]


def _use(fleet: Fleet, server: StandIn) -> None:
    folder = fleet.team.workspace
    text = (folder / "fleet.yaml").read_text(encoding="utf-8")
    model = "provider: openai\nmodel: gpt-stand-in\nbase_url: ${MODEL_URL}\napi_key: ${MODEL_KEY}"
    (folder / "fleet.yaml").write_text(
        text.replace("provider: demo\nmodel: demo", model, 1), encoding="utf-8"
    )
    fleet.environ |= {"MODEL_URL": server.base_url, "MODEL_KEY": server.api_key}


async def test_a_model_over_http_calls_a_tool_streams_for_four_seconds_and_ends_with_the_whole_text() -> None:
    script: list[Reply] = [
        CallTools((Call("slow_lookup", {"name": "ada"}),), text="Let me look."),
        Say(" ".join(WORDS), delay=0.1),
    ]
    async with openai_stand_in(script) as server, start_fleet() as fleet:
        _use(fleet, server)
        await fleet.start("serve")
        asked = await fleet.mention("Is Ada well?")
        answer = await fleet.completed(asked)

        assert answer.output == "Let me look.\n\n" + " ".join(WORDS)
        edits = [
            call for call in await fleet.calls("chat.update") if call.args.get("ts") == answer.message.ts
        ]
        assert len(edits) >= 2
        assert answer.message.revision >= 2
        assert [each.phase for each in fleet.team.executions("ada")] == ["began", "ended"]
        second = server.requests[1]["messages"]
        assert (second[-1]["role"], second[-1]["content"]) == ("tool", "ada is fine.")
        assert "slow_lookup" in json.dumps(server.requests[0]["tools"])


async def test_a_refused_key_is_one_sentence_and_stands_in_no_log_line() -> None:
    async with openai_stand_in([Say("never")]) as server, start_fleet() as fleet:
        _use(fleet, server)
        fleet.environ["MODEL_KEY"] = "sk-wrong-wrong-wrong-wrong"
        await fleet.start("serve")
        answer = await fleet.answer(await fleet.mention("hello"))

        shown = json.dumps(answer.message.blocks)
        assert answer.run.reason == "model_key_refused"
        assert "The model refused our key." in shown
        assert answer.run.run_id in shown
        lines = fleet.process("serve").lines()
        assert lines
        assert "sk-wrong" not in json.dumps(lines)
        assert "sk-wrong" not in shown
