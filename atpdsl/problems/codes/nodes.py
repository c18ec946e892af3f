"""Problems of node selections that need the model's sizes (270 to 279)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

CODES_NODES = (
    Code(
        code="ATP270",
        title="the model has no such layer",
        explanation="Layers are counted from 0.",
        bad="heads.z[L12] at last",
        good="heads.z[L11] at last",
    ),
    Code(
        code="ATP271",
        title="the model has no such head or neuron",
        explanation="Heads and neurons are counted from 0 in each layer.",
        bad="heads.z[L0H12] at last",
        good="heads.z[L0H11] at last",
    ),
    Code(
        code="ATP272",
        title="the model has no such key-value head",
        explanation="With grouped-query attention several query heads share one key and one "
        "value. `heads.k` and `heads.v` are these shared heads, so there are fewer of them "
        "than of `heads.q` and `heads.z`.",
        bad="heads.k[L0H8] at last",
        good="heads.k[L0H2] at last",
    ),
    Code(
        code="ATP273",
        title="the model has no nodes of this kind",
        explanation="Where attention and MLP read the same residual stream (parallel blocks, "
        "as in GPT-NeoX) there is no stream between them, so no `resid.mid`. A model of "
        "attention only has no neurons.",
        bad="resid.mid at every",
        good="resid.post at every",
    ),
    Code(
        code="ATP274",
        title="nodes of this kind cannot be chosen this way",
        explanation="Only heads have a `head`, only neurons a `neuron`; `embed` has no layers.",
        bad="mlp at every where head >= 2",
        good="mlp at every where layer >= 2",
    ),
    Code(
        code="ATP275",
        title="a selection chooses no node",
        explanation="No layer, head or neuron of the model fulfils all conditions.",
        bad="heads.z at last where layer > 5 and layer < 3",
        good="heads.z at last where layer > 3 and layer < 5",
    ),
    Code(
        code="ATP276",
        title="nodes are selected twice",
        explanation="A node is measured once, however often it is selected.",
        bad="heads.z at last\nheads.z[L9] at last",
        good="heads.z at last",
    ),
    Code(
        code="ATP277",
        title="an expectation about a node that is not measured",
        explanation="`has`, `effect` and `score` ask for nodes of the result, so these have to "
        "be among the `nodes` of the spec, at that position. Where those are at numbers of "
        "tokens (`at every`), a named position only fits if it is the same token number in "
        "every pair.",
        bad="expect { score(L9H6 at last) > 1 }",
        good="heads.z at last\nexpect { score(L9H6 at last) > 1 }",
    ),
    Code(
        code="ATP278",
        title="the effect of several nodes",
        explanation="`effect` and `score` are numbers of one node. `has` may ask for several: "
        "it holds if the circuit has one of them.",
        bad="heads.z at last\nexpect { score(heads.z[L9] at last) > 1 }",
        good="heads.z at last\nexpect { score(heads.z[L9H6] at last) > 1 }",
    ),
    Code(
        code="ATP279",
        title="too large a share for a circuit",
        explanation="The circuit is a graph that people look at, and its edges grow with the "
        "square of its nodes. The scores of all nodes are in the result in any case.",
        bad="heads.z at every\ncircuit { keep = 90% }",
        good="heads.z at every\ncircuit { keep = 5% }",
    ),
)
