"""The methods; to add one, write its file and put it in the table."""

from atpdsl.methods.activation_patching import ACTIVATION_PATCHING
from atpdsl.methods.atp import ATP
from atpdsl.methods.method import Method, Request
from atpdsl.registry import Registry

METHODS = Registry("method", (ACTIVATION_PATCHING, ATP))

__all__ = ["METHODS", "Method", "Request"]
