"""IAM: AWS's managed policies, read once. Not an answer of AWS, only the time to it."""

from copy import copy

from moto.iam.models import IAMBackend, ManagedPolicy


def patch() -> None:
    remember_managed_policies()


def remember_managed_policies() -> None:
    original = IAMBackend._init_aws_policies
    as_read: dict[tuple[str, str], list[ManagedPolicy]] = {}

    def _init_aws_policies(self: IAMBackend) -> list[ManagedPolicy]:
        scope = (self.account_id, self.region_name)
        if scope not in as_read:
            as_read[scope] = original(self)
        # Each backend counts the attachments of its own.
        return [copy(policy) for policy in as_read[scope]]

    IAMBackend._init_aws_policies = _init_aws_policies
