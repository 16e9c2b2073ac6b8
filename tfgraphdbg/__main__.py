"""`python -m tfgraphdbg` is the command `tfgraphdbg`."""

from tfgraphdbg.cli import main_and_exit

if __name__ == "__main__":
    main_and_exit()
