"""What a client does not want is taken out: "not a condo, we want a yard" is about the yard."""

import re

from aureum.routing.text import TOKEN

REMAIN = 5
"""How many words must remain; a shorter enquiry is left as it is."""

WANT = (
    r"(?:want|need|like|care\s+for|look(?:ing)?\s+for|interested\s+in|considering|after|into|buy(?:ing)?|rent(?:ing)?|"
    r"sell(?:ing)?|planning)"
)
NO_REFUSAL = (
    r"idea|rush|hurry|longer|problem|more\s+than|less\s+than|later|matter|one\b|down|money|experience|credit|clue"
)
"""What makes of "no" something else than a wish."""

WHO = (
    r"(?:(?:an?|the|your|any|first[\s-]time|real\s+estate|home|house|land|cash|new|usual|typical)\s+)*"
    r"(?:buyers?|sellers?|investors?|flippers?|landlords?|tenants?|renters?|developers?|builders?|farmers?|ranchers?|"
    r"veterans?|retirees?|seniors?)"
)
"""What a client says not to be: "we are not investors"."""

NEGATED = re.compile(
    rf"""
    (?:\b(?:i|we|they|i['’]m|we['’]re|they['’]re)\s+)?
    \b(?:
      (?:do|does|did|would|will|is|are|am|was|were)(?:\s+not|n['’]?t)\s+(?:really\s+|actually\s+|even\s+)?{WANT}
      | (?:not|never|no\s+longer)\s+(?:really\s+|actually\s+)?{WANT}
      | not\s+(?:a|an|the|any|another|some|in|on|at|to|for|my|our|these|those|that)\b
      | (?:not|no\s+longer|(?:is|are|was|were)n['’]?t)\s+{WHO}\b
      | no\s+(?!{NO_REFUSAL})
      | nothing\s+(?:in|on|with|too|like)\b
      | (?:instead\s+of|rather\s+than|other\s+than|except|anything\s+but)\b
      | no\s+(?:quiero|queremos|busco|buscamos|necesito|necesitamos)\b
    )
    .*?(?=[.,;:!?\n]|\b(?:and|but|y|pero|sino)\b|\s[-–—]\s|$)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def without_negations(text: str) -> str:
    """*text* without what it says is not wanted, if enough remains of it."""
    left = NEGATED.sub(" ", text)
    if len(TOKEN.findall(left)) < REMAIN:
        return text
    return re.sub(r"\s+", " ", re.sub(r"\s+(?=[.,;:!?])", "", left)).strip()
