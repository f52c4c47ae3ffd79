"""Which language an enquiry is written in, and which one it asks for; languages are primary subtags of BCP 47.

A client who writes Spanish is served by agents who speak it, if there are any. This is about the language that was
chosen for writing, never about where a name or a person comes from. A text counts as another language than English if
it has two function words of that language or more, and more than of any other; languages with a script of their own
are told by their letters.
"""

import re
from collections.abc import Iterable

from aureum.routing.text import TOKEN, folded

ENGLISH = "en"

WORDS_NEEDED = 2

SCRIPT_SHARE = 0.3
"""The share of a text's letters in a script from which on it counts as written in it."""

FUNCTION_WORDS = {
    "en": "the a an and or of to in on for with is are was be we i you my our your it this that have has do does can "
    "would could at from not what how looking want need like please there about any who will if as me us",
    "es": "el la los las un una y de del en con para por que es son esta estamos estoy hay no se lo le mi mis su nos "
    "nuestra nuestro quiero quisiera queremos necesito necesitamos busco buscamos casa como donde cuando cuanto muy "
    "tengo tenemos somos soy usted ustedes algo alguien pero gracias hola favor puedo puede pueden me gustaria",
    "pt": "o os as um uma e do da dos das em no na nos nas com para por que e sao nao se meu minha nosso nossa quero "
    "gostaria preciso precisamos procuro procuramos casa como onde quando muito tenho temos somos voce voces mas "
    "obrigado obrigada ola posso pode ao",
    "fr": "le la les un une et de du des en dans avec pour par que qui est sont nous je vous il elle mon ma mes notre "
    "nos ce cette ne pas se sur au aux voulons cherche cherchons voudrais souhaitons maison comme ou mais merci "
    "bonjour avons suis sommes chez",
    "de": "der die das den dem des ein eine einen einem einer und oder in im mit fur von zu zum zur ist sind wir ich "
    "sie mein meine unser unsere nicht auf suchen suche mochte mochten brauchen haben hat haus wie wo wann aber danke "
    "bitte guten hallo konnen kann",
    "it": "il lo la gli le un una e di del della dei in con per che e sono non si mio mia nostro nostra vorrei "
    "vorremmo cerco cerchiamo casa come dove quando molto ho abbiamo siamo ma grazie ciao buongiorno puo posso alla",
    "nl": "de het een en van in met voor op is zijn wij we ik u mijn ons onze niet naar zoek zoeken wil willen graag "
    "huis hoe waar maar dank hallo kunnen kan heb hebben",
    "pl": "i w z na do jest sa nie sie szukam szukamy dom mieszkanie chcemy chce potrzebuje prosze dziekuje mam mamy "
    "dla jak gdzie ale nasz moj czy dzien dobry",
    "vi": "toi chung muon mua nha can la va o cho co khong mot nhung cua duoc voi xin chao cam on ban gia phong",
    "tl": "ang ng mga sa na ko ako kami namin po bahay gusto naming kong para may ba hindi at ay salamat magandang "
    "naghahanap bumili lang",
    "ht": "mwen nou yon ap pou ak nan kay bezwen achte chache tanpri mesi bonjou genyen se pa",
    "so": "waxaan guri iyo ka ku oo aan rabaa raadinayaa fadlan mahadsanid",
}  # fmt: skip
FUNCTION_SETS = {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}
LANGUAGES_OF = {
    word: tuple(language for language, words in FUNCTION_SETS.items() if word in words)
    for word in frozenset().union(*FUNCTION_SETS.values())
}
"""By function word, the languages that have it."""

SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("am", re.compile("[\u1200-\u137f]")),
)
SAME_SCRIPT = {"ru": ("ru", "uk", "bg", "sr"), "ar": ("ar", "fa", "ur", "ps"), "hi": ("hi", "ne", "mr")}
"""Languages written with the same letters: an agent who speaks one of them is asked before others."""

ALIASES = {"cmn": "zh", "yue": "zh", "fil": "tl", "nb": "no", "nn": "no", "iw": "he", "prs": "fa"}

NAMES = {
    "spanish": "es", "español": "es", "portuguese": "pt", "french": "fr", "german": "de", "italian": "it",
    "dutch": "nl", "polish": "pl", "vietnamese": "vi", "tagalog": "tl", "filipino": "tl", "japanese": "ja",
    "korean": "ko", "chinese": "zh", "mandarin": "zh", "cantonese": "zh", "russian": "ru", "ukrainian": "uk",
    "arabic": "ar", "farsi": "fa", "persian": "fa", "urdu": "ur", "hindi": "hi", "nepali": "ne", "punjabi": "pa",
    "bengali": "bn", "hebrew": "he", "thai": "th", "greek": "el", "amharic": "am", "swahili": "sw", "somali": "so",
    "turkish": "tr", "bosnian": "bs", "romanian": "ro", "creole": "ht", "basque": "eu", "hmong": "hmn",
}  # fmt: skip
"""Names of languages, by which a client asks for one."""

LANGUAGE = "|".join(NAMES)
ASKED_FOR = re.compile(
    rf"""
    \b(?:agents?|realtors?®?|brokers?|somebody|someone|anybody|anyone|person|(?:do|does|can|could|would)\s+you)
       \s+(?:who\s+|that\s+|fluently\s+|also\s+|can\s+|could\s+|there\s+|here\s+)*
       (?:speaks?|speaking|knows?|fluent\s+in)\s+(?P<speaks>{LANGUAGE})\b
    | \b(?P<speaking>{LANGUAGE})[\s-]speaking\s+(?:agent|realtor|broker|person|someone|staff)
    | \b(?:hablen?|habla)\s+(?P<habla>español)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A wish for an agent's language. That the client speaks one ("we speak Korean at home") is none."""


def primary(tag: str) -> str:
    """The language of a BCP 47 tag: ``es`` for ``es-MX``."""
    language = re.split("[-_]", tag.strip().casefold())[0]
    return ALIASES.get(language, language)


def language_of(text: str) -> str:
    """The language that *text* is written in; English if nothing says another."""
    if not text.isascii():
        letters = sum(1 for c in text if c.isalpha())
        for language, script in SCRIPTS:
            if letters and len(script.findall(text)) >= SCRIPT_SHARE * letters:
                return language
    counts = dict.fromkeys(FUNCTION_SETS, 0)
    for token in TOKEN.findall(text):
        for language in LANGUAGES_OF.get(folded(token), ()):
            counts[language] += 1
    # The first of equals: English, then Spanish.
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= WORDS_NEEDED else ENGLISH


def language_asked_for(text: str) -> str | None:
    """The language that the client wants to be spoken with in, as "an agent who speaks Spanish"."""
    match = ASKED_FOR.search(text)
    return NAMES[next(filter(None, match.groups())).casefold()] if match else None


def speaks(languages: Iterable[str], language: str) -> bool:
    """Whether an agent of these *languages* can answer an enquiry in *language*."""
    return not {primary(tag) for tag in languages}.isdisjoint(SAME_SCRIPT.get(language, (language,)))
