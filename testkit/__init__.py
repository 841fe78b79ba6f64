"""Made scenes, walkers, videos, fuzz targets and scores that tests and benchmarks share.

Not part of the installed packages. Tests and benchmarks import it, never each other.
"""
