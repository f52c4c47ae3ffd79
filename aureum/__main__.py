"""``aureum``, and ``python -m aureum``. Which version this is, is answered before the command line is loaded."""

import sys

from aureum import __version__


def main() -> None:
    """What the command ``aureum`` runs."""
    match sys.argv[1:]:
        case ["--version"]:
            print(f"aureum {__version__}")
        case ["--version", "--json"] | ["--json", "--version"]:
            print(f'{{"version":"{__version__}"}}')
        case arguments:
            from aureum.cli.main import main as command_line

            command_line(arguments)


if __name__ == "__main__":
    main()
