"""The worker process: loops that follow the logs, claim deliveries, make attempts, and keep house."""
