"""A folder of YAML to a :class:`Workspace`, or to everything that is wrong with it.

The passes share raw documents rather than feeding each other, so all mistakes show at once: read (limits, syntax,
duplicate keys) → substitute variables → refuse what is not available → fit the schema → follow references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness_core import canonical
from harness_core.errors import WorkspaceInvalid
from harness_core.workspace.availability import refuse_unavailable
from harness_core.workspace.diagnostics import Diagnostic, Findings, nearest_name
from harness_core.workspace.fields import reveal_secrets
from harness_core.workspace.fitting import fit
from harness_core.workspace.folder import read_folder
from harness_core.workspace.providers import PROVIDERS
from harness_core.workspace.references import Objects, check_references
from harness_core.workspace.schema import AgentSpec, ChannelSpec, ModelSpec, RuntimeSpec, Spec, ToolSpec
from harness_core.workspace.substitution import substitute


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Workspace:
    """Everything a folder says, valid as a whole. Channels are keyed by channel id, the others by name.

    ``digest`` is a SHA-256 over what was written, secrets included; the order of files and objects and the way a
    duration is spelled do not change it. Never pickled or logged whole: the models hold keys.
    """

    runtime: RuntimeSpec
    models: Mapping[str, ModelSpec]
    tools: Mapping[str, ToolSpec]
    agents: Mapping[str, AgentSpec]
    channels: Mapping[str, ChannelSpec]
    digest: str

    def __repr__(self) -> str:
        return f"Workspace(agents={list(self.agents)}, digest={self.digest[:12]!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """``workspace`` is there exactly when no finding is an error."""

    workspace: Workspace | None
    findings: tuple[Diagnostic, ...]


def load_workspace(folder: Path, environ: Mapping[str, str]) -> Workspace:
    """The workspace in ``folder``, its variables taken from ``environ``.

    :raises WorkspaceInvalid: with every finding, warnings included, in order of file and line.
    """
    checked = check_workspace(folder, environ)
    if checked.workspace is None:
        raise WorkspaceInvalid(checked.findings)
    return checked.workspace


def check_workspace(folder: Path, environ: Mapping[str, str]) -> Checked:
    """Like :func:`load_workspace`, but what is wrong is part of the answer; content never raises."""
    findings = Findings()
    reading = read_folder(folder, findings)
    for document in reading.documents:
        substitute(document, environ)
    objects = Objects(reading.documents, reading.unreadable)
    specs: list[Spec] = []
    for document in objects.documents:
        refuse_unavailable(document)
        spec = fit(document)
        if spec is not None:
            specs.append(spec)
    check_references(objects)
    _check_providers(objects)
    _check_default_agent(objects, findings)
    workspace = None if findings.has_errors else _assemble(specs)
    return Checked(workspace=workspace, findings=findings.in_order())


def _check_providers(objects: Objects) -> None:
    """Only a doubt: packages may bring providers that this list does not know."""
    for model in objects.of_kind("Model"):
        provider = model.text("provider")
        if provider and provider not in PROVIDERS:
            nearest = nearest_name(provider, PROVIDERS)
            message = "is not a provider that is known here"
            model.report(("provider",), "unknown-provider", message, nearest=nearest, severity="warning")


def _check_default_agent(objects: Objects, findings: Findings) -> None:
    agents = sorted(objects.names("Agent"))
    if not agents:
        if not objects.may_be_unreadable("Agent"):
            message = "the workspace has no Agent; only files directly in the folder are read"
            allowed = "at least one document of kind Agent"
            findings.add(Diagnostic(code="no-agents", file=".", line=0, message=message, allowed=allowed))
        return
    runtimes = list(objects.of_kind("Runtime"))
    named = any(runtime.has("routing", "default_agent") for runtime in runtimes)
    if named or len(agents) == 1 or objects.may_be_unreadable("Runtime"):
        return
    message = "with several agents, the Runtime says which one answers when nothing else decides"
    allowed = f"routing.default_agent: one of {', '.join(agents)}"
    if runtimes:
        runtimes[0].report(
            ("routing", "default_agent"), "missing-default-agent", message, found="nothing", allowed=allowed
        )
    else:
        findings.add(
            Diagnostic(
                code="missing-default-agent",
                file=".",
                line=0,
                message=message,
                found="nothing",
                allowed=allowed,
            )
        )


def _assemble(specs: Iterable[Spec]) -> Workspace:
    runtime = RuntimeSpec()
    models: dict[str, ModelSpec] = {}
    tools: dict[str, ToolSpec] = {}
    agents: dict[str, AgentSpec] = {}
    channels: dict[str, ChannelSpec] = {}
    for spec in specs:
        match spec:
            case RuntimeSpec():
                runtime = spec
            case ModelSpec(name=name):
                models[name] = spec
            case ToolSpec(name=name):
                tools[name] = spec
            case AgentSpec(name=name):
                agents[name] = spec
            case ChannelSpec(channel=channel):
                channels[channel] = spec
    return Workspace(
        runtime=_with_default_agent(runtime, agents),
        models=MappingProxyType(models),
        tools=MappingProxyType(tools),
        agents=MappingProxyType(agents),
        channels=MappingProxyType(channels),
        digest=_digest([runtime, *models.values(), *tools.values(), *agents.values(), *channels.values()]),
    )


def _with_default_agent(runtime: RuntimeSpec, agents: Mapping[str, AgentSpec]) -> RuntimeSpec:
    if runtime.routing.default_agent is not None:
        return runtime
    routing = runtime.routing.model_copy(update={"default_agent": next(iter(agents))})
    return runtime.model_copy(update={"routing": routing})


def _digest(specs: Iterable[Spec]) -> str:
    written = (reveal_secrets(spec.model_dump(exclude_unset=True)) for spec in specs)
    return canonical.digest(*sorted(map(canonical.canonical_json, written)))
