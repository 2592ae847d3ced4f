"""``python -m cytopress``: the command line."""

from cytopress.cli import main

if __name__ == "__main__":
    main()
