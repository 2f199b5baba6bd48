"""schemathesis reads /openapi.json and finds no answer that the document does not promise."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from http_door import SPEC
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from gigym.servers import Limits
from gigym.servers.app import create_app
from gigym.servers.host import Host

BOUNDED: Any = {
    "max_examples": 8,
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate],
}


@pytest.fixture
def published() -> Iterator[OpenApiSchema]:
    limits = Limits(sessions=64, queued_per_session=0)
    spec = replace(SPEC, allow_hosts=("testserver",), limits=limits)
    app = create_app(Host(spec))
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    shutdown_lifespans()


ITEMS_FAIL_ALONE = (
    # A bad item is an error in its place of an answer with status 200; what the schema allows may
    # still name a session, an environment or an option that is not there.
    negative_data_rejection,
    positive_data_acceptance,
)


def findings(operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode) -> str:
    """What is wrong with the answers to generated requests; empty where nothing is."""

    @settings(**BOUNDED)
    @given(case=operation.as_strategy(generation_mode=mode))
    def examine(case: schemathesis.Case) -> None:
        # Events never end: what came until then is looked at.
        timeout_s = 0.2 if operation.path == "/v1/events" else 30.0
        case.call_and_validate(excluded_checks=[*ITEMS_FAIL_ALONE], timeout=timeout_s)

    try:
        examine()
    except (AssertionError, BaseExceptionGroup) as error:
        return str(error)
    except Unsatisfiable:
        pass
    return ""


@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_the_server_answers_as_its_document_says(
    published: OpenApiSchema, mode: schemathesis.GenerationMode
) -> None:
    own = published.exclude(path_regex="^/openenv/")  # the same routes once more
    operations = [found.ok() for found in own.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) >= 20
    found = {operation.label: findings(operation, mode) for operation in operations}
    assert {label: text for label, text in found.items() if text} == {}
