"""What came back, by route; and everything that must not have."""

from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from tests.bad_input.asking import BY_NAME, HANG_SECONDS
from tests.bad_input.wire import Answered

ELSEWHERE = "no route"
CLASSES = ("2xx", "3xx", "4xx", "5xx", "hang", "shape", "taken")
"""`shape`: an error that is not in the one shape, or no answer of HTTP. `taken`: what had to be refused."""
SHOWN_BYTES = 300


class Report(Struct, frozen=True, kw_only=True):
    """How a run went."""

    rows: dict[str, Counter[str]]
    violations: list[str]

    @property
    def table(self) -> str:
        """A line for each route, and one for all of them."""
        whole = {**self.rows, "all": sum(self.rows.values(), Counter[str]())}
        width = max(map(len, whole))
        lines = [f"{'route':<{width}}{'asked':>8}" + "".join(f"{name:>8}" for name in CLASSES)]
        for name, row in whole.items():
            lines.append(f"{name:<{width}}{row['asked']:>8}" + "".join(f"{row[one]:>8}" for one in CLASSES))
        return "\n".join(lines)


class Tally:
    """Counts answers, and looks at each."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = {name: Counter() for name in (*BY_NAME, ELSEWHERE)}
        self.violations: list[str] = []

    def take(self, name: str, what: str, ask: Callable[[], Answered], *, refused: bool = False) -> None:
        """Ask; `what` says what for, `refused` that the answer must be a refusal."""
        row = self.rows[name]
        row["asked"] += 1
        try:
            answer = ask()
        except TimeoutError:
            self._count(name, "hang", f"no answer within {HANG_SECONDS:.0f} s", what)
            return
        except (AssertionError, OSError, ValueError, LookupError) as why:
            self._count(name, "shape", f"no answer of HTTP ({why!r})"[:SHOWN_BYTES], what)
            return
        row[f"{answer.status // 100}xx"] += 1
        told = f"{answer.status} {answer.body[:SHOWN_BYTES]!r}"
        if answer.status >= 500:
            self.violations.append(f"{name}: {told} for {what}")
        elif refused and answer.status < 400:
            self._count(name, "taken", told, what)
        if answer.status >= 400 and not _in_shape(answer):
            self._count(name, "shape", told, what)

    def _count(self, name: str, kind: str, told: str, what: str) -> None:
        self.rows[name][kind] += 1
        self.violations.append(f"{name}: {told} for {what}")

    def never_reached(self) -> list[str]:
        """The routes that never answered anything well: whatever was asked of them ended in front of them."""
        return [name for name in BY_NAME if not self.rows[name]["2xx"] + self.rows[name]["3xx"]]


def _in_shape(answer: Answered) -> bool:
    """Whether an error is one. That to a HEAD has no body."""
    if not answer.body and answer.headers.get("content-length") != "0":
        return answer.headers.get("content-type") == "application/json" and "request-id" in answer.headers
    try:
        return bool(answer.error["code"])
    except (AssertionError, LookupError, ValueError, TypeError):
        return False
