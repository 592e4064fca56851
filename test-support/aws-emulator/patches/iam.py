"""IAM: AWS's managed policies, read once, and the account of an assumed role."""

from copy import copy

from moto.core.responses import BaseResponse
from moto.iam.models import IAMBackend, ManagedPolicy, get_account_id_from


def patch() -> None:
    remember_managed_policies()
    let_roles_be_of_their_account()


def let_roles_be_of_their_account() -> None:
    """To find the account of every access key moto would read the policies of each partition."""
    original = BaseResponse.get_current_account

    def get_current_account(self: BaseResponse) -> str:
        key = self.get_access_key()
        return get_account_id_from(key) if key.startswith("ASIA") else original(self)

    BaseResponse.get_current_account = get_current_account


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
