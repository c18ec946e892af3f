"""How the embedded models are made and measured; not part of the installed package."""
