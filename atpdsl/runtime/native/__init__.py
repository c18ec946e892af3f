"""A functional forward of the model families we know, and its backward written by hand.

The weights are those of the Hugging Face model inside the bridge.
"""
