"""`atpdsl selftest`: is the engine right on this machine, and on the user's own model?

Every check has its number from a slow and obvious twin: analytic cases, finite differences,
one patched row at a time, frozen forwards. None of them uses a gradient or the mathematics
that it checks.
"""
