"""Webhooks: endpoints, deliveries, replays, tests, and the events that are sent."""
