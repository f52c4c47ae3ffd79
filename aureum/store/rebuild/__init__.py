"""Read models made again of the log, beside the live rows, and swapped in when they have caught up."""
