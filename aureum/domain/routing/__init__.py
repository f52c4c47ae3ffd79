"""Which agent a lead goes to: what a brokerage has chosen (``settings``), and how agents are found by their own words
(``literal``)."""
