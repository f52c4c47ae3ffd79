"""Which agent a lead or a tour goes to. All of it is pure: the callers read, wait and store.

settings    what a brokerage has chosen: mode, filters, fallback, rules, groups
enquiry     what a lead or tour says, as rules and rankings read it
eligible    which agents can take a lead now, and why the others cannot
rules       the first rule that fits an enquiry
examples    leads that staff gave to another agent, which rankings may learn from
ranking     which agents an enquiry suits best; ``literal`` finds it in the agents' own words
deciding    mode, filter, fallback, pond: whom of the eligible agents the lead may go to
turns       whose turn it is among several
rehearsal   past leads by other settings: whom they would have gone to, and how the load shifts
reasons     the same in a broker's words
"""
