"""Where on Earth the places of the time zone database are, drawn as SVG."""

import re
from importlib.resources import files
from pathlib import Path


def readPlaces():
    """The zones' names with latitude and longitude in degrees, from the package tzdata."""
    table = files("tzdata").joinpath("zoneinfo", "zone1970.tab").read_text(encoding="utf-8")
    places = []
    for line in table.splitlines():
        if line and not line.startswith("#"):
            _, position, zone = line.split("\t")[:3]
            latitude, longitude = re.fullmatch(r"([+-]\d+)([+-]\d+)", position).groups()
            places.append((zone, _degrees(latitude, 2), _degrees(longitude, 3)))
    return places


def _degrees(text, digits):
    """ISO 6709 degrees, minutes and perhaps seconds as degrees."""
    whole, minutes, seconds = text[1 : 1 + digits], text[1 + digits : 3 + digits], text[3 + digits :] or "0"
    degrees = int(whole) + int(minutes) / 60 + int(seconds) / 3600
    return -degrees if text[0] == "-" else degrees


def makePlot(places, target):
    """Draw the places as dots on a plain map, one degree a unit."""
    dots = "".join(
        f'<circle cx="{longitude + 180:.2f}" cy="{90 - latitude:.2f}" r="1"><title>{zone}</title></circle>'
        for zone, latitude, longitude in places
    )
    Path(target).parent.mkdir(exist_ok=True)
    Path(target).write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 180">'
        f'<rect width="360" height="180" fill="#eef4fb"/><g fill="#a02020">{dots}</g></svg>\n',
        encoding="utf-8",
    )
