"""What the worker's loops share: following the logs, going on after failures, waiting, breakers."""
