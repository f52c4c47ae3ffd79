"""One attempt of a mail: handed to a mail server, or written as a file where there is none."""
