"""Why a demo ends before its end."""

from paydesk.errors import Sentence


class DemoFailed(Sentence):
    """The payment could not be made, or the books do not agree; the sentence says what happened."""
