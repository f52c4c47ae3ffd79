"""What is to be sent when: mails, sealed, with their leases, outcomes, bounces and retention."""
