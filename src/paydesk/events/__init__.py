"""Events and their deliveries: what merchants are told, signed, in order, until they have it. (What PSPs tell us are
notices, elsewhere.)

Called by `payments` inside a decision (`record`), by `worker` when a dispatch or a delivery is due, by the door for
`/v1/webhook_endpoints` and `/v1/events`.

Read: `rows.py`, `record.py` (an event in the commit of its change), `dispatch.py` (which endpoints, in which order),
`deliver.py` (one attempt and what follows from it), `disable.py` (an endpoint that fails for too long), `signing.py`
(Standard Webhooks), `endpoints.py` (making and deleting them).
"""

from paydesk.events.rows import Delivery, Endpoint, Event

__all__ = ["Delivery", "Endpoint", "Event"]
