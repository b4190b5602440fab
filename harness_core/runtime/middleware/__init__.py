"""Middleware declared in the workspace, as instances: LangChain's own, deep agents', and classes of one's own."""

from harness_core.runtime.middleware.around_tools import through
from harness_core.runtime.middleware.declared import DeclaredMiddleware, declared_middleware
from harness_core.runtime.middleware.kit import Kit

__all__ = ["DeclaredMiddleware", "Kit", "declared_middleware", "through"]
