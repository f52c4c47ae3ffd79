"""The pages about all leads, and about one step with some of them. A lead's own page is in ``leads.py``."""

from aureum.http.panel import lead_quick, lead_selection, lead_views
from aureum.http.panel.lead_list import show_leads
from aureum.http.panel.lead_query import HERE
from aureum.http.panel.page import Page

PAGES = (Page(HERE, show_leads), *lead_selection.PAGES, *lead_views.PAGES, *lead_quick.PAGES)
