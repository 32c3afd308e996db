"""Pure: the same mail as HTML, made of its plain text, so that both say the same. Nothing is loaded from anywhere."""

import re
from html import escape

from alerting.model import Message, Severity

COLOURS = {
    Severity.CRITICAL: "#b0281c",
    Severity.MAJOR: "#b4540a",
    Severity.WARNING: "#8a6500",
    Severity.INFO: "#1d5f8a",
}
_FACT = re.compile(r"(\S[^:\n]{0,40}:)\s+(\S.*)")
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_STEP = re.compile(r"\d{1,2}\. ")
_FRAME = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{title}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:42em;margin:0 auto;border-top:6px solid {colour};padding-top:8px">
{parts}
</div></body></html>
"""


def page(message: Message) -> str:
    """Return a document that shows a mail's plain body: heading, facts as a table, lists, links."""
    blocks = [block for block in re.split(r"\n{2,}", message.body.strip("\n")) if block.strip()]
    parts = [_block(block, first=number == 0) for number, block in enumerate(blocks)]
    colour = COLOURS[message.severity]
    return _FRAME.format(title=escape(message.subject), colour=colour, parts="\n".join(parts))


def _block(block: str, *, first: bool) -> str:
    lines = block.split("\n")
    facts = [_FACT.fullmatch(line) for line in lines]
    if first:
        head, rest = lines[0], lines[1:]
        return f'<h1 style="font-size:1.3em;margin:0 0 .4em">{_text(head)}</h1>' + (_paragraph(rest) if rest else "")
    if len(lines) > 1 and all(facts):
        return _table([(found[1], found[2]) for found in facts if found])
    if all(line.startswith("- ") for line in lines):
        return f"<ul>{''.join(f'<li>{_text(line[2:])}</li>' for line in lines)}</ul>"
    if len(lines) == 1 and lines[0].startswith("#"):
        return f'<h2 style="font-size:1.1em">{_text(lines[0].lstrip("# "))}</h2>'
    return _paragraph(lines, step=bool(_STEP.match(lines[0])))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top;padding-right:1em">{_text(name)}</th>'
        f"<td>{_text(value)}</td></tr>"
        for name, value in rows
    )
    return f'<table style="border-spacing:0">{cells}</table>'


def _paragraph(lines: list[str], *, step: bool = False) -> str:
    style = ' style="margin-left:1em"' if step else ""
    return f"<p{style}>{'<br>'.join(map(_text, lines))}</p>"


def _text(plain: str) -> str:
    """Escape, and make an address that stands for itself a link."""
    said, end = "", 0
    for found in _URL.finditer(plain):
        url = escape(found[0])
        said += f'{escape(plain[end : found.start()])}<a href="{url}">{url}</a>'
        end = found.end()
    return said + escape(plain[end:])
