"""What the worker's parts share: following the logs, going on after failures, waiting."""
