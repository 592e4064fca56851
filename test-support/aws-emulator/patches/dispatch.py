"""The server: which service a request is for. Not an answer of AWS, only the time to it."""

from functools import cache

from moto.moto_server.werkzeug_app import DomainDispatcherApplication


def patch() -> None:
    remember_backends()


def remember_backends() -> None:
    """moto looks through the folders of all its services, twice a request."""
    DomainDispatcherApplication.get_backend_for_host = cache(
        DomainDispatcherApplication.get_backend_for_host
    )
