"""Notebooks: how results look in a cell, and the magic that makes a cell a spec.

`%load_ext atpdsl` adds the magic; results look as they do without it. IPython is imported with
`atpdsl.notebook.magics` only, and nothing else in atpdsl needs it.
"""
