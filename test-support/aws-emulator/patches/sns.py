"""SNS: topic attributes that moto accepts and then forgets."""

from typing import Any

from moto.core.responses import ActionResult
from moto.sns.responses import SNSResponse


def patch() -> None:
    remember_forgotten_topic_attributes()


def is_forgotten(attribute: str) -> bool:
    """SignatureVersion, TracingConfig, and the delivery status attributes of every protocol,
    such as HTTPFailureFeedbackRoleArn."""
    return attribute in ("SignatureVersion", "TracingConfig") or "Feedback" in attribute


def remember_forgotten_topic_attributes() -> None:
    original_create = SNSResponse.create_topic
    original_set = SNSResponse.set_topic_attributes
    original_get = SNSResponse.get_topic_attributes

    def remembered(response: SNSResponse, topic_arn: str) -> dict[str, str]:
        # Kept on moto's own topic object, so that moto's reset forgets it too.
        return vars(response.backend.get_topic(topic_arn)).setdefault("remembered", {})

    def create_topic(self: SNSResponse) -> ActionResult:
        requested: dict[str, Any] = self._get_param("Attributes") or {}
        result = original_create(self)
        remembered(self, result.result["TopicArn"]).update(
            {name: value for name, value in requested.items() if is_forgotten(name)}
        )
        return result

    def set_topic_attributes(self: SNSResponse) -> ActionResult:
        name = self._get_param("AttributeName")
        if is_forgotten(name):
            remembered(self, self._get_param("TopicArn"))[name] = self._get_param("AttributeValue")
        return original_set(self)

    def get_topic_attributes(self: SNSResponse) -> ActionResult:
        result = original_get(self)
        result.result["Attributes"].update(
            {k: v for k, v in remembered(self, self._get_param("TopicArn")).items() if v}
        )
        return result

    SNSResponse.create_topic = create_topic
    SNSResponse.set_topic_attributes = set_topic_attributes
    SNSResponse.get_topic_attributes = get_topic_attributes
