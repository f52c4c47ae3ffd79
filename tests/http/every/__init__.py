"""What holds for every endpoint, proved from the declarations: an endpoint that is added is walked at once."""
