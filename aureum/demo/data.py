"""Who and what the demo tells of: invented people, enquiries as brokerages get them, and what becomes of leads."""

AGENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Ana Alvarez", "ana.alvarez@example.com", ("downtown", "condo", "loft", "river")),
    ("Ben Becker", "ben.becker@example.com", ("family", "school", "suburb", "yard")),
    ("Cora Chen", "cora.chen@example.com", ("land", "ranch", "acres", "cabin")),
)
"""Name, address, specialties."""

ENQUIRIES: tuple[tuple[str, str, str], ...] = (
    (
        "Downtown condo near the river",
        "We would like to see a two-bedroom condo downtown, within walking distance of the river, up to $450k.",
        "/property/202412345",
    ),
    (
        "House with a yard",
        "A family of five looking for four bedrooms, a yard for the dog and a good school nearby.",
        "/property/202411208",
    ),
    (
        "Ten acres north of town",
        "Is the land at the end of Ridge Road still for sale? We want to keep horses: ten acres or more.",
        "/property/202410077",
    ),
    (
        "What is my home worth?",
        "We are thinking of selling next spring and would like an honest estimate first.",
        "/sell",
    ),
    (
        "Weekend cabin",
        "Looking for a small cabin by the lake for weekends, no more than two hours away.",
        "/property/202413391",
    ),
    (
        "First home",
        "Pre-approved up to $320k and new to all of this. Could somebody explain how buying works here?",
        "/buyers",
    ),
    (
        "Open house on Saturday",
        "Is there an open house for the loft on 8th Street this Saturday, and do we need to register?",
        "/property/202412001",
    ),
)
"""Subject, message, page."""

OUTCOMES: tuple[tuple[str, ...], ...] = (
    (),
    ("contacted",),
    ("contacted", "qualified"),
    ("contacted", "qualified", "showing"),
    ("contacted", "qualified", "showing", "offer"),
    ("contacted", "qualified", "showing", "offer", "converted"),
    ("contacted", "lost"),
    (),
    ("contacted", "qualified", "showing", "offer", "showing", "offer", "converted"),
    ("contacted", "qualified", "lost", "contacted", "qualified", "showing"),
)
"""The statuses that a lead passes after its first; deals fall through, and some come back."""

CLIENT = "ethan.brooks@example.com"
"""The first of the people whose lead was converted: a contact, who can sign in to the client portal."""

NOTES: dict[str, str] = {
    "qualified": "Pre-approved; knows what they want and by when.",
    "offer": "Offer is with the other side; answer expected this week.",
    "lost": "Went with a home outside our area. Ask again in spring.",
}
"""What the agent writes down when a lead comes to a status."""

PEOPLE: tuple[tuple[str, str], ...] = (
    ("Emma", "Carter"),
    ("Liam", "Nguyen"),
    ("Olivia", "Ramirez"),
    ("Noah", "Johnson"),
    ("Ava", "Patel"),
    ("Ethan", "Brooks"),
    ("Sophia", "Martinez"),
    ("Mason", "Kim"),
    ("Isabella", "Sullivan"),
    ("Lucas", "Foster"),
    ("Mia", "Reyes"),
    ("Logan", "Bennett"),
    ("Amelia", "Okafor"),
    ("Jackson", "Hughes"),
    ("Harper", "Larsen"),
    ("Aiden", "Price"),
    ("Evelyn", "Delgado"),
    ("Carter", "Morgan"),
    ("Abigail", "Schmidt"),
    ("Henry", "Walsh"),
    ("Ella", "Ortiz"),
    ("Wyatt", "Fischer"),
    ("Scarlett", "Coleman"),
    ("Owen", "Tanaka"),
    ("Grace", "Rivera"),
    ("Caleb", "Novak"),
    ("Chloe", "Simmons"),
    ("Isaac", "Haddad"),
    ("Lily", "Jensen"),
    ("Hudson", "Myers"),
    ("Aria", "Castillo"),
    ("Levi", "Shaw"),
    ("Zoe", "Vargas"),
    ("Nathan", "Lindberg"),
    ("Nora", "Ellis"),
    ("Eli", "Moreno"),
    ("Hazel", "Grant"),
    ("Adrian", "Whitaker"),
    ("Violet", "Silva"),
    ("Julian", "Porter"),
)
"""First and last names of the forty leads, from the oldest to the newest."""

PROPERTIES: tuple[tuple[str, str, str, str, tuple[str | None, str | None, str | None], str, str, str], ...] = (
    ("Loft by the River", "812 W Grove St", "Boise", "449000", ("2", "2", "1240"), "CONDO", "ACTIVE", "202412345"),
    ("Craftsman, Yard", "19 N 18th St", "Boise", "689500", ("4", "2.5", "2410"), "TOWNHOUSE", "ACTIVE", "202411208"),
    ("Ten Acres", "Ridge Road", "Eagle", "315000", (None, None, None), "LAND", "ACTIVE", "202410077"),
    ("Lake Cabin", "44 Lake Rd", "McCall", "389900", ("3", "1", "980"), "LAND", "PENDING", "202413391"),
    ("Loft on 8th Street", "403 S 8th St", "Boise", "524900", ("1", "1", "890"), "CONDO", "COMING_SOON", "202412001"),
    ("Sunny Townhouse", "88 E Boise Ave", "Boise", "412250.5", ("3", "2", "1530"), "TOWNHOUSE", "SOLD", "0099871"),
)  # fmt: skip
"""Title, address, city, price; bedrooms, bathrooms, square feet; type, status, MLS id."""

TASKS: tuple[tuple[str, str, str, str], ...] = (
    ("Follow up with {name}", "call", "HIGH", "pending"),
    ("Send listings to {name}", "email", "MEDIUM", "in_progress"),
    ("Meet {name} at the office", "meeting", "MEDIUM", "pending"),
    ("Ask {name} for a pre-approval letter", "follow_up", "URGENT", "pending"),
    ("Thank {name} for the visit", "email", "LOW", "completed"),
)
"""Title, type, priority, status."""

TOURS: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("Emma Carter", "confirmed", "10:00", "10:00 AM"),
    ("Liam Nguyen", "pending", None, "after work"),
    ("Ava Patel", "pending", None, None),
    ("Noah Johnson", "confirmed", "16:30", "late afternoon"),
)
"""Name, status, a fixed time of day if there is one, the visitor's words."""

SUBSCRIBERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("emma.carter@example.com", "Emma", ("new-listings", "market-updates")),
    ("henry.walsh@example.com", "Henry", ("market-updates",)),
    ("zoe.vargas@example.com", "Zoe", ("new-listings",)),
)
"""Address, first name, interests."""
