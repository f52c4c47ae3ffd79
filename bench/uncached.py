"""An HTTP process of the product, less its cache of answers: every GET finds its tenant changed, so to say.

What it costs to answer when the tenant has just changed cannot be told from a process that has its cache, unless
all tenants would change all the time, which costs more than what is to be measured.
"""

import sys
from functools import partial
from unittest.mock import patch

from aureum.http.contract.answer_cache import AnswerCache
from aureum.processes.child import main

if __name__ == "__main__":
    with patch("aureum.app.AnswerCache", partial(AnswerCache, limit=0)):
        main(sys.argv[1:])
