"""`heads.v`: the value of a key-value head."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

HEAD_VALUE = NodeKind(
    name="heads.v",
    summary="the value of a key-value head",
    unit=Unit.KV_HEAD,
    read="blocks.{layer}.attn.hook_v",
    write="blocks.{layer}.attn.hook_v",
    stage=1,
    role=Role.READS,
)
