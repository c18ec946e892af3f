"""`embed`: the token embedding."""

from atpdsl.nodes.kind import NodeKind, Role, Unit

EMBEDDING = NodeKind(
    name="embed",
    summary="the token embedding at a position",
    unit=Unit.VECTOR,
    read="hook_embed",
    write="hook_embed",
    stage=-1,
    role=Role.WRITES,
    layered=False,
)
