"""Surfaces: each person's stack of modals, and their Home tab."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from bot.playground.errors import SlackError
from bot.playground.records import Json, View
from bot.playground.world.changes import Change, ViewChanged, ViewEvent
from bot.playground.world.clock import Clock, new_id

MOST_ON_STACK = 3


class Views:
    """A view lives until it is closed; the top of a person's stack is the one on screen."""

    def __init__(self, clock: Clock, publish: Callable[[Change], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._views: dict[str, View] = {}
        self._stacks: dict[str, list[str]] = {}
        self._homes: dict[str, str] = {}

    def get(self, view_id: str) -> View:
        try:
            return self._views[view_id]
        except KeyError:
            raise SlackError("not_found") from None

    def by_external_id(self, external_id: str) -> View:
        for view in self._views.values():
            if view.body.get("external_id") == external_id:
                return view
        raise SlackError("not_found")

    def stack(self, user: str) -> list[View]:
        return [self._views[view_id] for view_id in self._stacks.get(user, ())]

    def top(self, user: str) -> View | None:
        stack = self.stack(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        view_id = self._homes.get(user)
        return self._views[view_id] if view_id else None

    def all(self) -> list[View]:
        return list(self._views.values())

    def open(self, user: str, body: Json) -> View:
        """Show a new modal in place of whatever the person had open."""
        self._check_external_id(body)
        for view in self.stack(user):
            self._forget(view)
        view_id = new_id("V")
        view = View(id=view_id, kind="modal", user=user, body=body, hash=self._hash(), root=view_id)
        self._stacks[user] = [view.id]
        return self._show(view, "opened")

    def push(self, user: str, body: Json) -> View:
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= MOST_ON_STACK:
            raise SlackError("push_limit_reached")
        self._check_external_id(body)
        view = View(
            id=new_id("V"),
            kind="modal",
            user=user,
            body=body,
            hash=self._hash(),
            root=stack[0].id,
            previous=stack[-1].id,
        )
        self._stacks[user].append(view.id)
        return self._show(view, "pushed")

    def update(self, view: View, body: Json, expected_hash: str | None) -> View:
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        if body.get("external_id") != view.body.get("external_id"):
            self._check_external_id(body)
        return self._show(replace(view, body=body, hash=self._hash()), "updated")

    def publish_home(self, user: str, body: Json, expected_hash: str | None) -> View:
        current = self.home(user)
        if current is not None:
            if expected_hash and expected_hash != current.hash:
                raise SlackError("hash_conflict")
            return self._show(replace(current, body=body, hash=self._hash()), "published")
        view_id = new_id("V")
        self._homes[user] = view_id
        view = View(id=view_id, kind="home", user=user, body=body, hash=self._hash(), root=view_id)
        return self._show(view, "published")

    def close(self, user: str, *, all_of_them: bool) -> list[View]:
        """Close the top modal, or the whole stack from the top down; the closed ones, in that order."""
        stack = self.stack(user)
        closed = list(reversed(stack)) if all_of_them else stack[-1:]
        for view in closed:
            self._forget(view)
            self._publish(ViewChanged(view, "closed"))
        return closed

    def _show(self, view: View, how: ViewEvent) -> View:
        self._views[view.id] = view
        self._publish(ViewChanged(view, how))
        return view

    def _forget(self, view: View) -> None:
        del self._views[view.id]
        self._stacks[view.user].remove(view.id)

    def _check_external_id(self, body: Json) -> None:
        wanted = body.get("external_id")
        if wanted and any(view.body.get("external_id") == wanted for view in self._views.values()):
            raise SlackError("duplicate_external_id")

    def _hash(self) -> str:
        return f"{int(self._clock.now())}.{secrets.token_hex(4)}"
