"""`heads.q`: the query of an attention head, before rotary embedding."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

HEAD_QUERY = NodeKind(
    name="heads.q",
    summary="the query of an attention head, before rotary embedding",
    unit=Unit.HEAD,
    read="blocks.{layer}.attn.hook_q",
    write="blocks.{layer}.attn.hook_q",
    stage=1,
    role=Role.READS,
)
