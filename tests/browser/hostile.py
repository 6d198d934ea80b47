"""What an attacker puts into a message, for the eyes of whoever looks at the page."""

from playwright.sync_api import Page

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = '"><img src=x onerror="window.pwned=1">'
ATTRIBUTE = "' onmouseover='window.pwned=1' autofocus onfocus='window.pwned=1"
TEMPLATE = "{{ 7*7 }}{% raw %}${alert(1)}"
ADDRESS = "javascript:window.pwned=1"
CONTROLS = "a\x00b\x07c\x1b[31md\u202eevil\u2066e\r\ndata: f\n\nevent: put"
CLOSING = "</textarea></title></template></svg></table></details><b id=pwned>x</b><!--"
HTMX = '<b hx-get="/publish" hx-trigger="load" id="pwned">x</b>'
LONG = "W" * 3000
EVERYTHING = (SCRIPT, IMAGE, ATTRIBUTE, TEMPLATE, ADDRESS, CONTROLS, CLOSING, HTMX, LONG)


def assert_harmless(page: Page) -> None:
    """Nothing of it became an element or ran."""
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("#pwned, img, b, main script, [onmouseover], [onerror]").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
