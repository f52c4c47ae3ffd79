"""The admin panel over real sockets: its pages are read, and their forms sent, as a browser does."""
