"""`heads.z`: the output of an attention head, before the output projection."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

HEAD_OUTPUT = NodeKind(
    name="heads.z",
    summary="the output of an attention head, before the output projection",
    unit=Unit.HEAD,
    read="blocks.{layer}.attn.hook_z",
    write="blocks.{layer}.attn.hook_z",
    stage=2,
    role=Role.MIXES,
)
