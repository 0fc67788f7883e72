"""`python -m aios_workbench.cli`: the command without its script on the PATH."""

from aios_workbench.cli import main

main()
