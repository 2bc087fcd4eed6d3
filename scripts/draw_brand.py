#!/usr/bin/env python3
"""Draws the brand images of the integration: a house with a sound inside, and the sound's echoes.

Run it from an environment that has Pillow (Home Assistant brings it): .venv/bin/python scripts/draw_brand.py
"""

import argparse
from math import cos, radians, sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TARGET = Path(__file__).parents[1] / "custom_components" / "echonet" / "brand"
HOUSE = (14, 116, 144, 255)
SOUND = (255, 255, 255, 255)
INK = (15, 61, 77, 255)
PAPER = (240, 249, 251, 255)
CLEAR = (0, 0, 0, 0)
ARC = (-56, 24)
OVERSAMPLING = 8


def draw_icon(size: int) -> Image.Image:
    """Draw the house on a transparent square."""
    side = size * OVERSAMPLING
    image = Image.new("RGBA", (side, side), CLEAR)
    draw = ImageDraw.Draw(image)

    def at(*values: float) -> list[float]:
        return [value * side for value in values]

    # The corners are rounded by a thick line with round joints around a slightly smaller house.
    roof = [(0.07, 0.46), (0.5, 0.09), (0.93, 0.46)]
    walls = [*roof, (0.84, 0.46), (0.84, 0.91), (0.16, 0.91), (0.16, 0.46)]
    points = [(x * side, y * side) for x, y in walls]
    radius = 0.045 * side
    draw.polygon(points, fill=HOUSE)
    draw.line([*points, points[0], points[1]], fill=HOUSE, width=round(2 * radius), joint="curve")
    for x, y in points:
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=HOUSE)

    middle_x, middle_y = 0.33, 0.65
    draw.ellipse(at(middle_x - 0.085, middle_y - 0.085, middle_x + 0.085, middle_y + 0.085), fill=SOUND)
    width = 0.085
    for distance in (0.225, 0.4):
        reach = distance + width / 2
        box = at(middle_x - reach, middle_y - reach, middle_x + reach, middle_y + reach)
        draw.arc(box, *ARC, fill=SOUND, width=round(width * side))
        _round_ends(draw, (middle_x, middle_y), distance, width, side)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _round_ends(
    draw: ImageDraw.ImageDraw, middle: tuple[float, float], distance: float, width: float, side: int
) -> None:
    for angle in ARC:
        x = (middle[0] + distance * cos(radians(angle))) * side
        y = (middle[1] + distance * sin(radians(angle))) * side
        half = width * side / 2
        draw.ellipse([x - half, y - half, x + half, y + half], fill=SOUND)


def draw_logo(height: int, ink: tuple[int, int, int, int]) -> Image.Image:
    """Draw the icon and the name beside it."""
    icon = draw_icon(height)
    font = ImageFont.load_default(size=height * 0.62)
    left, top, right, bottom = font.getbbox("EchoNet")
    gap = height // 8
    image = Image.new("RGBA", (round(height + gap + right - left), height), CLEAR)
    image.paste(icon, (0, 0))
    draw = ImageDraw.Draw(image)
    draw.text((height + gap - left, (height - (bottom - top)) / 2 - top), "EchoNet", font=font, fill=ink)
    return image


def main() -> None:
    """Write all images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--target", type=Path, default=TARGET, help="folder to write to (default: %(default)s)"
    )
    target: Path = parser.parse_args().target
    target.mkdir(parents=True, exist_ok=True)
    for name, image in (
        ("icon.png", draw_icon(256)),
        ("icon@2x.png", draw_icon(512)),
        ("logo.png", draw_logo(160, INK)),
        ("logo@2x.png", draw_logo(320, INK)),
        ("dark_logo.png", draw_logo(160, PAPER)),
        ("dark_logo@2x.png", draw_logo(320, PAPER)),
    ):
        image.save(target / name, optimize=True)
        print(f"{target / name}  {image.width} x {image.height}")


if __name__ == "__main__":
    main()
