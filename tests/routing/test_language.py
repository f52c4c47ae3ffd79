"""The language that an enquiry is written in, and the one that it asks for."""

import pytest

from aureum.domain.routing import languages
from aureum.routing import language as told_by
from aureum.routing.language import language_asked_for, language_of, primary, speaks


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("Hello?", "en"),
        ("La Jolla or Los Altos, we want a house in the hills", "en"),
        ("Casa Grande", "en"),
        ("Busco una casa con tres cuartos para mi mamá", "es"),
        ("Quisiera rentar un departamento, gracias", "es"),
        ("Procuro uma casa com quintal e não muito longe do centro", "pt"),
        ("Nous cherchons une maison avec un jardin", "fr"),
        ("Wir suchen ein Haus mit Garten", "de"),
        ("Vorrei comprare una casa con giardino, grazie", "it"),
        ("Szukam domu z ogrodem i nie za drogo, dziękuję", "pl"),
        ("Tôi muốn mua nhà có vườn", "vi"),
        ("Gusto naming bumili ng bahay na may malaking bakuran", "tl"),
        ("你好，我想买房子", "zh"),
        ("庭のある家を探しています", "ja"),
        ("정원이 있는 집을 찾고 있습니다", "ko"),
        ("Ищу дом с садом", "ru"),
        ("أبحث عن منزل", "ar"),
        ("अपना घर खरीदना है", "hi"),
    ],
)
def test_a_text_has_a_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Is there an agent who speaks Japanese?", "ja"),
        ("Do you speak Spanish there?", "es"),
        ("I'd prefer a Mandarin-speaking agent", "zh"),
        ("somebody fluent in Vietnamese please", "vi"),
        ("¿Alguien habla español?", "es"),
        ("We speak Korean at home", None),
        ("My children speak Spanish", None),
        ("Spanish style house with French doors", None),
    ],
)
def test_a_language_is_asked_for_of_the_agent(text: str, language: str | None) -> None:
    assert language_asked_for(text) == language


def test_tags_name_languages() -> None:
    assert [primary(tag) for tag in ("es-MX", "ZH_hant", "yue", "en", " fil ", "")] == [
        "es",
        "zh",
        "zh",
        "en",
        "tl",
        "",
    ]
    assert speaks(("en-US", "uk"), "ru") and not speaks(("en",), "es") and not speaks((), "en")


def test_every_language_that_is_told_has_a_name_in_reasons() -> None:
    told = {*told_by.FUNCTION_SETS, *(code for code, _ in told_by.SCRIPTS), *told_by.NAMES.values()}
    assert told <= languages.NAMES.keys()
