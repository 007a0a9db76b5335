"""How hard the tests look that try many places one after the other; see conftest.py."""

from __future__ import annotations

from hypothesis import settings

THOROUGH = settings.get_current_profile_name() == "thorough"


def stride(thorough: int, quick: int) -> int:
    """The step from one place to the next. Two that have no common factor meet different places."""
    return thorough if THOROUGH else quick
