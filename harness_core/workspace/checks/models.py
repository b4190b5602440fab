"""Providers of models. Only doubts: packages may bring providers that no list here knows."""

from __future__ import annotations

from harness_core.workspace.diagnostics import nearest_name
from harness_core.workspace.objects import Objects
from harness_core.workspace.providers import EMBEDDING_PROVIDERS, PROVIDERS


def check_providers(objects: Objects) -> None:
    for kind, known in (("Model", PROVIDERS), ("EmbeddingModel", EMBEDDING_PROVIDERS)):
        for model in objects.of_kind(kind):
            provider = model.text("provider")
            if provider and provider not in known:
                nearest = nearest_name(provider, known)
                message = "is not a provider that is known here"
                model.report(("provider",), "unknown-provider", message, nearest=nearest, severity="warning")
