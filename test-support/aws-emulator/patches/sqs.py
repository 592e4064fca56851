"""SQS: queue attributes that the AWS provider's wait for propagation can recognise."""

import json
from typing import Any

from moto.sqs.models import Queue


def patch() -> None:
    store_redrive_allow_policy()
    keep_policy_when_another_attribute_is_set()


def store_redrive_allow_policy() -> None:
    """Knows RedriveAllowPolicy, and returns both redrive policies as AWS does: compact JSON,
    and nothing at all where none is set. The provider compares the text and would wait for
    ever."""
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    Queue.redrive_allow_policy = None
    original_attributes = Queue.attributes.fget

    def attributes(self: Queue) -> dict[str, Any]:
        result = original_attributes(self)
        if self.redrive_policy:
            result["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        if not result.get("RedriveAllowPolicy"):
            result.pop("RedriveAllowPolicy", None)
        return result

    Queue.attributes = property(attributes)


def keep_policy_when_another_attribute_is_set() -> None:
    """moto drops the queue's policy whenever SetQueueAttributes does not repeat it."""
    original_set_attributes = Queue._set_attributes

    def set_attributes(
        self: Queue, attributes: dict[str, Any], now: float | None = None
    ) -> None:
        current_policy = getattr(self, "policy", None)
        original_set_attributes(self, {"Policy": current_policy, **attributes}, now)

    Queue._set_attributes = set_attributes
