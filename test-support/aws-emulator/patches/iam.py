"""IAM: AWS's managed policies, read once, the account of an assumed role, and how a policy is answered."""

from copy import copy

from moto.core.responses import BaseResponse
from moto.core.serialize import url_encode
from moto.iam.models import IAMBackend, ManagedPolicy, get_account_id_from
from moto.iam.responses import IamResponse


def patch() -> None:
    remember_managed_policies()
    let_roles_be_of_their_account()
    encode_documents_of_policies()


def encode_documents_of_policies() -> None:
    """As AWS and as moto itself does with those of roles ("URL-encoded compliant with RFC 3986")."""
    answer = "GetPolicyVersionResponse.PolicyVersion.Document"
    IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER[answer] = url_encode


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
