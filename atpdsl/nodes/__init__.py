"""The kinds of nodes; to add one, write its file and put it in the table."""

from atpdsl.nodes.attention import ATTENDING
from atpdsl.nodes.attention_output import ATTENTION_OUTPUT
from atpdsl.nodes.embedding import EMBEDDING
from atpdsl.nodes.head_key import HEAD_KEY
from atpdsl.nodes.head_output import HEAD_OUTPUT
from atpdsl.nodes.head_query import HEAD_QUERY
from atpdsl.nodes.head_value import HEAD_VALUE
from atpdsl.nodes.kind import NodeKind, Role, Site, Unit
from atpdsl.nodes.mlp_output import MLP_OUTPUT
from atpdsl.nodes.neuron import NEURON
from atpdsl.nodes.residual_mid import RESIDUAL_MID
from atpdsl.nodes.residual_post import RESIDUAL_POST
from atpdsl.nodes.residual_pre import RESIDUAL_PRE
from atpdsl.registry import Registry

NODE_KINDS = Registry(
    "node kind",
    (
        HEAD_QUERY,
        HEAD_KEY,
        HEAD_VALUE,
        HEAD_OUTPUT,
        ATTENTION_OUTPUT,
        MLP_OUTPUT,
        NEURON,
        RESIDUAL_PRE,
        RESIDUAL_MID,
        RESIDUAL_POST,
        EMBEDDING,
    ),
)

__all__ = ["ATTENDING", "NODE_KINDS", "NodeKind", "Role", "Site", "Unit"]
