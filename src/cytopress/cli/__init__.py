"""The command line: parse, call, print. Nothing else prints, exits or shows progress."""

from cytopress.cli.app import main

__all__ = ["main"]
