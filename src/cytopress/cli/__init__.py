"""The command line: parses, calls and prints. No other part prints, exits or shows progress."""

from cytopress.cli.app import main

__all__ = ["main"]
