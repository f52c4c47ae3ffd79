"""What all endpoints promise alike: declarations, lists, pages, ETags, ``asOf``, idempotency, public forms."""
