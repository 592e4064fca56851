"""The server: who answers a request. Not an answer of AWS, only the time to it."""

from functools import cache

from moto.core import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication


def patch() -> None:
    remember_backends()
    remember_method_names()


def remember_backends() -> None:
    """moto looks through the folders of all its services, twice a request."""
    DomainDispatcherApplication.get_backend_for_host = cache(
        DomainDispatcherApplication.get_backend_for_host
    )


def remember_method_names() -> None:
    """moto lists all methods of a service, once a request."""
    responses.method_names_from_class = cache(responses.method_names_from_class)
