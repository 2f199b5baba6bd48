"""`/docs`: the routes as one static page, without scripts and without anything from elsewhere."""

from html import escape
from typing import Any

_STYLE = "body{font:16px sans-serif;margin:2em;max-width:60em}td{padding:.2em 1em .2em 0}"
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def page(document: dict[str, Any]) -> str:
    """An OpenAPI document as HTML."""
    title = escape(document["info"]["title"])
    rows = "".join(
        f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(about.get('description', ''))}</td></tr>"
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{_STYLE}</style><h1>{title}</h1><p>Complete, for programs: "
        f"<a href=openapi.json>openapi.json</a></p><table>{rows}</table></html>"
    )
