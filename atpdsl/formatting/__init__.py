"""The one way to lay out a spec: `atpdsl fmt` and the editors' "format document"."""
