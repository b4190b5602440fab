"""What a playground is made of: addresses, secrets, limits, and the ids of its cast."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LimitModel = Literal["bucket", "window", "off"]

SUBSCRIPTIONS = frozenset(
    {
        "app_mention",
        "app_home_opened",
        "app_uninstalled",
        "tokens_revoked",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The ids of the seeded team, its people and its places. The `crowd` are more members of every channel."""

    team: str = "T0PLAY1"
    team_name: str = "Playground"
    other_team: str = "T0OTHER1"
    app: str = "A0PLAY1"
    bot_user: str = "U0BOT"
    bot: str = "B0BOT"
    bot_name: str = "harness"
    requester: str = "U0REQUESTER"
    approver: str = "U0APPROVER"
    admin: str = "U0ADMIN"
    guest: str = "U0GUEST"
    stranger: str = "U0STRANGER"
    deleted: str = "U0DELETED"
    other_bot_user: str = "U0OTHERBOT"
    other_bot: str = "B0OTHERBOT"
    general: str = "C0GENERAL"
    ops: str = "C0OPS"
    private: str = "C0PRIVATE"
    outside: str = "C0OUTSIDE"
    ops_group: str = "S0OPS"
    crowd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command as the client offers it while somebody types."""

    usage: str = ""
    description: str = ""

    @property
    def verbs(self) -> tuple[str, ...]:
        """What the usage hint lists: `runs | show RUN`."""
        return tuple(verb.strip() for verb in self.usage.split("|") if verb.strip())


COMMANDS: Mapping[str, Command] = {
    "/harness": Command(
        usage="runs | show RUN | cancel RUN | approvals | agents | help",
        description="List, show and cancel runs, and list what waits for approval",
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What the page proposes to write: `ask` is answered, `act` leads to an approval (None: nothing would)."""

    ask: str = "why is checkout slow?"
    act: str | None = "restart checkout in prod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a verdict waits, in seconds.

    A fault is over when nothing was heard from the bot for `quiet` and nothing is owed; `within` is the longest
    wait for that. After a kill in front of everybody's eyes the bot stays `away`, long enough to be told.
    """

    quiet: float = 2.5
    within: float = 75.0
    away: float = 11.0
    armed: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundConfig:
    """Everything one playground needs; all durations are seconds.

    `bot_url` receives events, interactions and commands, each of which may have an address of its own.
    Without a `bot_url` the playground speaks Socket Mode. `host` must be a loopback address. `effects_url` is
    the effect counter's; `workspace` the folder of the bot's agents, to be shown.
    """

    host: str = "127.0.0.1"
    port: int = 0
    bot_url: str | None = None
    interactivity_url: str | None = None
    command_url: str | None = None
    signing_secret: str = "playground-signing-secret"  # noqa: S105 - a stand-in's secret guards nothing
    bot_token: str = "xoxb-playground"  # noqa: S105 - as above
    app_token: str = "xapp-playground"  # noqa: S105 - as above
    commands: Mapping[str, Command] = field(default_factory=lambda: COMMANDS)
    subscriptions: frozenset[str] = SUBSCRIPTIONS
    limits: LimitModel = "bucket"
    tiers: Mapping[str, int] = field(default_factory=dict)
    ack_within: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger_life: float = 3.0
    response_url_life: float = 1800.0
    response_url_uses: int = 5
    status_life: float = 120.0
    cast: Cast = field(default_factory=Cast)
    effects_url: str | None = None
    workspace: str | None = None
    suggestions: Suggestions = field(default_factory=Suggestions)
    patience: Patience = field(default_factory=Patience)
