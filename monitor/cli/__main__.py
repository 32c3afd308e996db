"""`python -m monitor.cli`: the `lambi` command."""

from monitor.cli import main

main()
