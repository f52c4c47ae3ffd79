"""The loops that make mails of the logs and send them; ``aureum/worker`` runs them."""
