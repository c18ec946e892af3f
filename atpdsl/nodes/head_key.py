"""`heads.k`: the key of a key-value head, before rotary embedding."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

HEAD_KEY = NodeKind(
    name="heads.k",
    summary="the key of a key-value head, before rotary embedding",
    unit=Unit.KV_HEAD,
    read="blocks.{layer}.attn.hook_k",
    write="blocks.{layer}.attn.hook_k",
    stage=1,
    role=Role.READS,
)
