"""`/openapi.json`, made from the types, and `/docs`, a page made from the same and from the table of errors."""

from paydesk.web.call import Call, Response


async def openapi(call: Call) -> Response:
    """The API's description (OpenAPI 3.1)."""
    return Response(body=call.desk.openapi())


async def page(call: Call) -> Response:
    """Routes and error codes, for people."""
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", b"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Response(body=call.desk.docs(), headers=headers)
