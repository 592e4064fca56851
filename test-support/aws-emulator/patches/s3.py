"""S3: whether a bucket sends events to EventBridge, which moto keeps and then does not tell."""

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response


def patch() -> None:
    original = S3Response.get_bucket_notification

    def get_bucket_notification(self: S3Response):  # type: ignore[no-untyped-def]
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        serialized = self.serialized
        if configuration and configuration.event_bridge is not None:

            def with_event_bridge(result: ActionResult):  # type: ignore[no-untyped-def]
                result.result["EventBridgeConfiguration"] = {}
                return serialized(result)

            self.serialized = with_event_bridge  # type: ignore[method-assign]
        try:
            return original(self)
        finally:
            self.serialized = serialized  # type: ignore[method-assign]

    S3Response.get_bucket_notification = get_bucket_notification  # type: ignore[method-assign]
