"""Clicks, modals and slash commands: the payload to the bot, and what its answer does to the screen.

https://docs.slack.dev/reference/interaction-payloads
"""

from collections.abc import Mapping
from typing import Any

from bot.playground.block_kit import checked_view
from bot.playground.block_kit.surfaces import interactive
from bot.playground.delivery.courier import Courier
from bot.playground.delivery.parcel import Parcel, Reply
from bot.playground.errors import Impossible, SlackError
from bot.playground.payloads import view_json
from bot.playground.people.forms import field_errors, is_stateful, state_values, value_of
from bot.playground.people.hands import Hands
from bot.playground.people.payloads import Payloads
from bot.playground.records import SLACKBOT, Ephemeral, Json, Message, Outcome, User, View
from bot.playground.response_urls import Origin, show_answer
from bot.playground.web_api.args import Args
from bot.playground.web_api.content import read_content
from bot.playground.world import World

NOT_SENT = "client_validation"
BAD_ANSWER = "invalid_response"


class Interactivity:
    """One attempt each, as on the platform: what the bot misses here is lost."""

    def __init__(self, world: World, courier: Courier, hands: Hands, payloads: Payloads) -> None:
        self._world = world
        self._courier = courier
        self._hands = hands
        self._payloads = payloads
        self._entered: dict[str, dict[tuple[str, str], Any]] = {}

    async def click(
        self,
        user_id: str,
        channel_id: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
    ) -> Outcome:
        """Use an element of a message; `value` is what was chosen, where the element offers a choice."""
        user = self._hands.person(user_id)
        channel = self._hands.member_of(user, channel_id)
        message = self._on_screen(user, channel.id, ts)
        block, element = _element(message.blocks, action_id, block_id, user)
        payload = self._payloads.message_click(user, channel, message, self._action(block, element, value))
        return _outcome(await self._send("block_actions", payload))

    async def click_view(
        self,
        user_id: str,
        action_id: str,
        *,
        view_id: str | None = None,
        block_id: str | None = None,
        value: Any = None,
    ) -> Outcome:
        """Use an element of the modal on screen, or of the view with that id (a Home tab)."""
        user = self._hands.person(user_id)
        view = self._world.views.get(view_id) if view_id else self._top(user, None)
        if view.user != user.id:
            raise Impossible(f"The view {view.id} is {view.user}'s, not {user.id}'s.")
        block, element = _element(view.body["blocks"], action_id, block_id, user)
        if is_stateful(element):
            self._entered.setdefault(view.id, {})[block["block_id"], element["action_id"]] = value
        payload = self._payloads.view_click(user, self._filled(view), self._action(block, element, value))
        return _outcome(await self._send("block_actions", payload))

    async def submit(self, user_id: str, values: Mapping[str, Any], view_id: str | None = None) -> Outcome:
        """Fill in the modal on screen (values by block id) and press its submit button."""
        user = self._hands.person(user_id)
        view = self._top(user, view_id)
        blocks: list[Json] = view.body["blocks"]
        self._enter(view, values)
        filled = self._filled(view)
        errors = field_errors(blocks, filled["state"]["values"])
        if errors:
            return Outcome(ok=False, status=None, body="", seconds=0.0, failure=NOT_SENT, errors=errors)
        reply = await self._send("view_submission", self._payloads.submission(user, filled))
        return self._after_submit(user, view, reply)

    async def close(self, user_id: str, *, everything: bool = False) -> Outcome:
        """Close the modal on screen, or the whole stack; the bot hears of it with `notify_on_close`."""
        user = self._hands.person(user_id)
        top = self._top(user, None)
        clears = everything or bool(top.body.get("clear_on_close"))
        closed = self._world.views.close(user.id, all_of_them=clears)
        outcome = Outcome(ok=True, status=None, body="", seconds=0.0)
        for view in closed:
            if view.body.get("notify_on_close"):
                payload = self._payloads.closed(user, view_json(view, self._world), cleared=clears)
                outcome = _outcome(await self._send("view_closed", payload))
        return outcome

    async def command(self, user_id: str, channel_id: str, command: str, text: str) -> Outcome:
        """Type a slash command; the bot's answer, or the client's error, is shown to that person alone."""
        user = self._hands.person(user_id)
        channel = self._hands.member_of(user, channel_id)
        if command not in self._world.config.commands:
            known = ", ".join(sorted(self._world.config.commands))
            raise Impossible(f"{command!r} is not a valid command here; known: {known}.")
        form = self._payloads.command(user, channel, command, text)
        reply = await self._courier.send_act(Parcel(kind="slash_commands", payload=form, event_type=command))
        origin = Origin(user=user.id, channel=channel.id)
        if reply.failure:
            error = "operation_timeout" if reply.failure == "http_timeout" else "dispatch_failed"
            self._whisper(origin, f"{command} failed with the error “{error}”")
        elif reply.body.strip():
            self._show(origin, reply)
        return _outcome(reply)

    async def _send(self, event_type: str, payload: Json) -> Reply:
        return await self._courier.send_act(
            Parcel(kind="interactive", payload=payload, event_type=event_type)
        )

    def _on_screen(self, user: User, channel: str, ts: str) -> Message | Ephemeral:
        ephemeral = self._world.messages.ephemerals.get(ts)
        if ephemeral is None:
            return self._world.messages.get(channel, ts)
        if ephemeral.to != user.id:
            raise Impossible(f"The ephemeral message {ts} is shown to {ephemeral.to}, not to {user.id}.")
        return ephemeral

    def _top(self, user: User, view_id: str | None) -> View:
        top = self._world.views.top(user.id)
        if top is None:
            raise Impossible(f"{user.id} has no modal open.")
        if view_id is not None and top.id != view_id:
            raise Impossible(f"The modal on {user.id}'s screen is {top.id}, not {view_id}.")
        return top

    def _action(self, block: Json, element: Json, value: Any) -> Json:
        ids = {"action_id": element["action_id"], "block_id": block["block_id"]}
        return value_of(element, value) | ids | {"action_ts": self._world.clock.ts()}

    def _enter(self, view: View, values: Mapping[str, Any]) -> None:
        inputs = {block["block_id"]: block for block in view.body["blocks"] if block["type"] == "input"}
        for block_id, value in values.items():
            if block_id not in inputs:
                raise Impossible(f"The modal has no input {block_id!r}; it has: {', '.join(inputs)}.")
            key = (block_id, inputs[block_id]["element"]["action_id"])
            self._entered.setdefault(view.id, {})[key] = value

    def _filled(self, view: View) -> Json:
        values = state_values(view.body["blocks"], self._entered.get(view.id, {}))
        return view_json(view, self._world) | {"state": {"values": values}}

    def _after_submit(self, user: User, view: View, reply: Reply) -> Outcome:
        if reply.failure:
            return _outcome(reply)
        answer = reply.json if reply.body.strip() else {}
        try:
            errors = self._apply(user, view, answer if isinstance(answer, dict) else {"response_action": "?"})
        except SlackError as refusal:
            return _outcome(reply, failure=f"{BAD_ANSWER}: {refusal}")
        return _outcome(reply, errors=errors)

    def _apply(self, user: User, view: View, answer: Json) -> dict[str, str]:
        """Do what the bot's `response_action` says; the field errors, if that is what it says."""
        views = self._world.views
        match answer.get("response_action"):
            case None:
                views.close(user.id, all_of_them=False)
            case "clear":
                views.close(user.id, all_of_them=True)
            case "update":
                views.update(view, checked_view(answer.get("view"), home=False), None)
            case "push":
                views.push(user.id, checked_view(answer.get("view"), home=False))
            case "errors":
                return self._named_errors(view, answer.get("errors"))
            case other:
                raise SlackError("invalid_arguments", [f"unknown response_action {other!r}"])
        return {}

    def _named_errors(self, view: View, errors: Any) -> dict[str, str]:
        inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
            raise SlackError("invalid_arguments", ["errors must name input blocks of the view"])
        return {str(block): str(problem) for block, problem in errors.items()}

    def _show(self, origin: Origin, reply: Reply) -> None:
        """A command's answer: plain text, or a JSON message."""
        answer = reply.json
        args = Args(answer if isinstance(answer, dict) else {"text": reply.body})
        try:
            content = read_content(args)
        except SlackError as refusal:
            self._whisper(origin, f"The app's answer was refused: {refusal}")
            return
        if not content.empty:
            show_answer(self._world, origin, content, args)

    def _whisper(self, origin: Origin, text: str) -> None:
        shown = Ephemeral(channel=origin.channel, to=origin.user, ts="", author=SLACKBOT, text=text)
        self._world.messages.whisper(shown)


def _element(
    blocks: tuple[Json, ...] | list[Json],
    action_id: str,
    block_id: str | None,
    user: User,
) -> tuple[Json, Json]:
    seen: list[str] = []
    for block in blocks:
        for element in interactive(block):
            seen.append(str(element["action_id"]))
            visible = user.id in element.get("visible_to_user_ids", [user.id])
            if element["action_id"] == action_id and block_id in (None, block["block_id"]) and visible:
                return block, element
    raise Impossible(
        f"There is no {action_id!r} on {user.id}'s screen; there is: {', '.join(seen) or 'nothing'}."
    )


def _outcome(reply: Reply, *, failure: str | None = None, errors: Mapping[str, str] | None = None) -> Outcome:
    problem = reply.failure or failure
    return Outcome(
        ok=problem is None and not errors,
        status=reply.status,
        body=reply.body,
        seconds=reply.seconds,
        failure=problem,
        errors=dict(errors or {}),
    )
