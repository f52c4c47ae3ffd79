"""Persons as a whole, over all resources of a brokerage: erasing one, and exporting one."""
