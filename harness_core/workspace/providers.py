"""Providers of models known by name: LangChain's, and the built-in ``demo`` that needs no key and no network.

A copy, so that checking a workspace does not import LangChain; a test compares it with the original.
"""

from __future__ import annotations

from typing import Final

PROVIDERS: Final = frozenset(
    {
        "anthropic",
        "anthropic_bedrock",
        "azure_ai",
        "azure_openai",
        "baseten",
        "bedrock",
        "bedrock_converse",
        "bedrock_mantle_anthropic",
        "bedrock_mantle_openai",
        "cohere",
        "deepseek",
        "demo",
        "fireworks",
        "google_anthropic_vertex",
        "google_genai",
        "google_vertexai",
        "groq",
        "huggingface",
        "ibm",
        "langsmith",
        "litellm",
        "meta",
        "mistralai",
        "nvidia",
        "ollama",
        "openai",
        "openrouter",
        "perplexity",
        "together",
        "upstage",
        "xai",
    }
)

EMBEDDING_PROVIDERS: Final = frozenset(
    {
        "azure_ai",
        "azure_openai",
        "bedrock",
        "cohere",
        "google_genai",
        "google_vertexai",
        "huggingface",
        "minilm",
        "mistralai",
        "ollama",
        "openai",
    }
)
"""Providers of embeddings: LangChain's, and ``minilm``, whose weights an optional package carries."""
