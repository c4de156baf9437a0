"""`python -m grouper` is the command `grouper`."""

from grouper.cli import main

if __name__ == "__main__":
    main()
