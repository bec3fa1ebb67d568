"""Plot the light curve, folded with the star's period, as SVG; loaded into the daemon by utils.loadPythonModule."""

import contextlib
import sqlite3
from pathlib import Path

PERIOD_DAYS = 0.5668
WIDTH, HEIGHT, MARGIN = 640, 400, 40


def makePlot(database, target):
    """Draw all points of the photometry table; answers how many there are.  Without any, nothing is drawn."""
    points = _points(database)
    if not points:
        return 0
    dots = []
    for jd, magnitude in points:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (jd / PERIOD_DAYS % 1)
        y = MARGIN + (HEIGHT - 2 * MARGIN) * (magnitude - 11.2) / 1.6
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5"/>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">phase (period {PERIOD_DAYS} d)</text>'
        f'<text x="12" y="{HEIGHT / 2}" transform="rotate(-90 12 {HEIGHT / 2})" text-anchor="middle">V [mag]</text>'
        f'<g fill="navy">{"".join(dots)}</g></svg>\n'
    )
    # Written aside and renamed, so that nobody ever looks at half a plot.
    partial = Path(f"{target}.partial")
    partial.write_text(svg, encoding="utf-8")
    partial.rename(target)
    return len(points)


def _points(database):
    """What is in the table; nothing while it, or the whole database, has not been made."""
    if not Path(database).exists():
        return []
    with contextlib.closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'photometry'").fetchone():
            return []
        return connection.execute("SELECT obs_time, mag FROM photometry").fetchall()
