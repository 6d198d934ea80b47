"""The scenarios are no test modules, so pytest has to be told to explain their asserts."""

import pytest

pytest.register_assert_rewrite("tests.differential.scenarios")
