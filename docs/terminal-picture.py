#!/usr/bin/env python3
"""Draws what a command printed as an SVG: ringdown demo --exit | docs/terminal-picture.py > docs/demo.svg"""
import html
import sys
import textwrap

WIDTH, LINE, CHAR = 118, 17, 7.25

rows = []
for line in sys.stdin.read().strip("\n").split("\n"):
    indent = len(line) - len(line.lstrip())
    rows += textwrap.wrap(line, WIDTH, subsequent_indent=" " * (indent + 2), drop_whitespace=False) or [""]

height = LINE * (len(rows) + 2)
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * CHAR + 40:.0f} {height}" role="img"'
      ' aria-label="The story that ringdown demo tells in the terminal">')
print(f'<rect width="100%" height="{height}" rx="8" fill="#15181e"/>')
print('<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="12" xml:space="preserve">')
for number, row in enumerate(rows):
    text = row.strip()
    if text and not row.startswith(" "):
        colour = "#ffb454"  # a part's title
    elif "“" in text or (row.startswith("            ")):
        colour = "#8fa1b3"  # said or written
    else:
        colour = "#e6e6e6"
    print(f'<text x="20" y="{LINE * (number + 1) + 8}" fill="{colour}">{html.escape(row)}</text>')
print("</g></svg>")
