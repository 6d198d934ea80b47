"""Names: of the feature, of its classes and of their fields, as Python and routes want them."""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable

from pydantic import BaseModel

from worker.builder.order import OrderRefused, Target

_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,63}")

# What the generated modules and their tests import, define or call their arguments.
_USED = frozenset((
    "context", "delivered", "deliver", "dt", "feature", "features", "field", "fixture", "handle",
    "handlers", "l", "logger", "logging", "models", "petsage", "pytest", "requirements",
    "result", "router", "service", "tests", "want", "worker",
))  # fmt: skip
_CLASSES = frozenset((
    "AfterValidator", "Annotated", "Any", "AnyUrl", "APIRouter", "AwareDatetime", "BaseModel",
    "ConfigDict", "Context", "Decimal", "Field", "IPv4Address", "IPv6Address", "Literal", "Reject",
    "Requirements", "Retry", "UUID",
))  # fmt: skip
_PYTEST = ("setup_module", "teardown_module", "setup_function", "teardown_function")
# Types that annotations name, what pydantic and our base class keep, and a letter like a 1.
_FIELDS = frozenset((
    "bool", "bytes", "dict", "dt", "feature_names", "float", "int", "l", "list", "object", "self",
    "str", "tuple",
))  # fmt: skip


def check_name(order_feature: str, taken: Collection[str], target: Target) -> None:
    """Raise OrderRefused when no feature can be called that.

    `taken` are the features that the worker has: another target has others.
    """
    if reason := _unfit(order_feature) or (
        _unfit_here(order_feature, taken) if target is Target.WORKER else ""
    ):
        raise OrderRefused(f"feature: {reason}")


def _unfit(name: str) -> str:
    """Why nothing can be called that, "" when it can."""
    if not _FEATURE.fullmatch(name):
        return "want a name of a-z, 0-9 and _, at most 64 characters, a letter first"
    called = class_name(name)
    reasons = {
        "want single underscores, and none at the end": name.endswith("_") or "__" in name,
        f"{name} is a word of Python itself": keyword.iskeyword(name)
        or keyword.issoftkeyword(name)
        or name in vars(builtins),
        f"{name} means something else in the code that is generated": name in _USED,
        f"its class, {called}, would hide another one of that name": called
        in {*_CLASSES, *vars(builtins)},
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _unfit_here(name: str, taken: Collection[str]) -> str:
    """Why no handler of this worker can be called that."""
    if name.startswith(("test", "pytest")) or name in _PYTEST:
        return f"pytest would take {name} for something of its own"
    if name in taken:
        return f"{name} is a feature already"
    for other in taken:
        if class_name(other) == class_name(name):
            return f"its class would have the name of that of {other}"
    return ""


def class_name(feature: str) -> str:
    """Say it as a class: `invoice_total` is `InvoiceTotal`."""
    return "".join(word[:1].upper() + word[1:] for word in feature.split("_"))


def readable_class(text: str) -> str:
    """A class name made of anybody's words: "pet's owner" is `PetSOwner`; "" when none is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)
    name = "".join(word[:1].upper() + word[1:].lower() for word in words)[:40]
    return name.lstrip("0123456789")


def singular(name: str) -> str:
    """What one of these would be called: `Visits` is `Visit`."""
    if name.endswith("ies") and len(name) > len("ties"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The same, with a number when it is taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    return name


def class_names(wanted: Iterable[str], main: str) -> dict[str, str]:
    """A class name for each: not that of `main`, of its result, or of anything imported."""
    taken = {main, f"{main}Result", f"{main}Response", *_CLASSES, *vars(builtins)}
    names: dict[str, str] = {}
    for one in wanted:
        name = free_name(f"{main}{one}" if one in taken else one, {*taken, *names.values()})
        names[one] = name
    return names


def field_names(wanted: Iterable[str]) -> dict[str, str]:
    """A field for each property: in small letters, no keyword, nothing that pydantic has."""
    names: dict[str, str] = {}
    for one in wanted:
        plain = unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode()
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
        name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "field"
        if name[0].isdigit() or name.startswith("model_"):
            name = f"field_{name}"
        if keyword.iskeyword(name) or name in _FIELDS or hasattr(BaseModel, name):
            name = f"{name}_"
        names[one] = free_name(name, set(names.values()))
    return names
