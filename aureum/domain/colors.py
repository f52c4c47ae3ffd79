"""Colours that text can be read on (WCAG 2.2, 1.4.3): the contrast of two colours, and a darker one that has enough."""

import re

HEX = re.compile(r"#[0-9a-f]{6}")
WHITE = "#ffffff"
LEAST_CONTRAST = 4.5
DARKER = 0.96


def luminance(color: str) -> float:
    """How bright a colour is, from 0 to 1."""
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 for the same colour to 21 for black and white."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def readable(color: str) -> str:
    """*color*, or the first darker one of its hue that white text can be read on."""
    parts = [float(int(color[place : place + 2], 16)) for place in (1, 3, 5)]
    while contrast(color, WHITE) < LEAST_CONTRAST:
        parts = [part * DARKER for part in parts]
        color = "#" + "".join(f"{int(part):02x}" for part in parts)
    return color
