"""The contract suites are no test modules, so pytest has to be told to explain their asserts."""

import pytest

pytest.register_assert_rewrite(
    "tests.contracts.claims",
    "tests.contracts.edge",
    "tests.contracts.edge_lifecycle",
    "tests.contracts.quarantine",
)
