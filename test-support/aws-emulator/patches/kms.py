"""KMS: the rotation period of a key."""

import json

from moto.kms.responses import KmsResponse

DEFAULT_ROTATION_PERIOD_DAYS = 365


def patch() -> None:
    remember_rotation_period()


def remember_rotation_period() -> None:
    original_enable = KmsResponse.enable_key_rotation
    original_status = KmsResponse.get_key_rotation_status

    def enable_key_rotation(self: KmsResponse) -> str:
        result = original_enable(self)
        key = self.kms_backend.describe_key(self._get_param("KeyId"))
        key.rotation_period_days = (
            self._get_param("RotationPeriodInDays") or DEFAULT_ROTATION_PERIOD_DAYS
        )
        return result

    def get_key_rotation_status(self: KmsResponse) -> str:
        status = json.loads(original_status(self))
        if status["KeyRotationEnabled"]:
            key = self.kms_backend.describe_key(self._get_param("KeyId"))
            status["RotationPeriodInDays"] = key.rotation_period_days
        return json.dumps(status)

    KmsResponse.enable_key_rotation = enable_key_rotation
    KmsResponse.get_key_rotation_status = get_key_rotation_status
