"""The newsletter: subscribing, confirming, unsubscribing."""
