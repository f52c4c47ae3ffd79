"""Public forms as websites send them."""
