"""`python -m stream` is the command `hydrawatch`."""

from stream.cli import main

main()
