"""`resid.mid`: the residual stream between a layer's attention and its MLP."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

# TransformerLens' hook_resid_mid is only the input of the MLP's branch: an edit there leaves
# the stream alone, and its gradient is the branch's. The stream is resid_pre + attn_out, so
# it is set, and its gradient taken, at attn_out.
RESIDUAL_MID = NodeKind(
    name="resid.mid",
    summary="the residual stream between a layer's attention and its MLP",
    unit=Unit.VECTOR,
    read="blocks.{layer}.hook_resid_mid",
    write="blocks.{layer}.hook_attn_out",
    stream="blocks.{layer}.hook_resid_pre",
    stage=4,
    role=Role.STREAM,
    sequential_only=True,
)
