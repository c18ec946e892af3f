"""The methods; to add one, write its file and put it in the table."""

from atpdsl.methods.activation_patching import ACTIVATION_PATCHING
from atpdsl.methods.atp import ATP, ATP_STAR
from atpdsl.methods.auto import AUTO
from atpdsl.methods.blocks import BLOCKS
from atpdsl.methods.hierarchical import HIERARCHICAL
from atpdsl.methods.iterative import ITERATIVE
from atpdsl.methods.method import Method, Request
from atpdsl.methods.random_order import RANDOM
from atpdsl.methods.subsampling import SUBSAMPLING
from atpdsl.registry import Registry

METHODS = Registry(
    "method",
    (
        ACTIVATION_PATCHING,
        ATP,
        ATP_STAR,
        AUTO,
        SUBSAMPLING,
        BLOCKS,
        HIERARCHICAL,
        ITERATIVE,
        RANDOM,
    ),
)

__all__ = ["METHODS", "Method", "Request"]
