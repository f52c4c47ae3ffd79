"""How far the vectors of the bundled model are from those of its package, on standard output: a process of its own,
since the weights are 130 MB."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import orjson

from aureum.routing.bundled_model import TOGETHER, BundledModel
from tests.routing.enquiries import cases, profiles

STRANGE = ["", " ", "\u2581", "日本語のテキスト", "🏡🏡🏡", "a lot " * 600, "x" * 2_000, "\u200b", "é ﷽ \u3000 b"]
"""Some have more pieces than are computed together, and than this model keeps."""


def main() -> None:
    """The greatest difference in any place of a vector: of texts that come alone, and together. The model keeps so few
    pieces that it forgets some and meets others again."""
    texts = [one.enquiry.message for one in cases()[:70]] + [one.bio for one in profiles()] + STRANGE
    model = BundledModel(kept=TOGETHER)
    package = model.package.encode(texts)
    found = {"alone": [model.encode([text])[0] for text in texts], "together": model.encode(texts)}
    print(orjson.dumps({name: float(abs(package - vectors).max()) for name, vectors in found.items()}).decode())


if __name__ == "__main__":
    main()
