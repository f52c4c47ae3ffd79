"""Tour requests as the Leads API has them, and the showings of the Aureum API: one aggregate in two dialects."""
