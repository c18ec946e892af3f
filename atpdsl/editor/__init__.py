"""What editors ask of a spec: problems as you type, completion, hover, names, and highlighting.

Everything but `server.py` and `convert.py` is plain functions of a text and an offset, and
needs nothing that atpdsl does not need anyway.
"""
