"""EKS: the control-plane calls of the AWS provider that moto has no answer for.

Everything is kept on moto's own cluster objects, so that deleting a cluster or resetting moto
forgets it. Only what Terraform can see is here: an update is done as soon as it is asked for.
"""

import base64
import datetime
import hashlib
import os
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import ec2_backends
from moto.eks import urls
from moto.eks.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.eks.models import Cluster, Nodegroup
from moto.eks.responses import EKSResponse


def patch() -> None:
    # moto lists only the paths of the calls it has; the operation itself is matched from
    # botocore's model, so one pattern serves everything below a cluster.
    urls.url_paths[r"{0}/clusters/(?P<name>[^/]+)/(?P<rest>.+)$"] = urls.response.dispatch
    urls.url_paths["{0}/addons/supported-versions$"] = urls.response.dispatch
    for operation in (
        create_cluster,
        delete_cluster,
        update_cluster_config,
        update_cluster_version,
        describe_update,
        create_nodegroup,
        update_nodegroup_config,
        update_nodegroup_version,
        create_addon,
        describe_addon,
        update_addon,
        delete_addon,
        describe_addon_versions,
        create_access_entry,
        describe_access_entry,
        update_access_entry,
        delete_access_entry,
        associate_access_policy,
        disassociate_access_policy,
        list_associated_access_policies,
        create_pod_identity_association,
        describe_pod_identity_association,
        list_pod_identity_associations,
        update_pod_identity_association,
        delete_pod_identity_association,
        tag_resource,
        untag_resource,
        list_tags_for_resource,
    ):
        setattr(EKSResponse, operation.__name__, operation)


original_create_cluster = EKSResponse.create_cluster
original_delete_cluster = EKSResponse.delete_cluster
original_create_nodegroup = EKSResponse.create_nodegroup
original_update_nodegroup_config = EKSResponse.update_nodegroup_config


# Requests and errors


def parameter(request: EKSResponse, name: str) -> Any:
    """A parameter of the request's body, query or path; ARNs arrive encoded in a path."""
    value = request._get_param(name)
    return unquote(value) if isinstance(value, str) and name.endswith("Arn") else value


def present(request: EKSResponse, *names: str) -> dict[str, Any]:
    """Those of the named parameters that the request has."""
    values = {name: parameter(request, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def cluster_of(request: EKSResponse) -> Cluster:
    name = parameter(request, "name") or parameter(request, "clusterName")
    return request.eks_backend.describe_cluster(name)


def nodegroup_of(request: EKSResponse) -> Nodegroup:
    name = parameter(request, "nodegroupName")
    return request.eks_backend.describe_nodegroup(cluster_of(request).name, name)


def not_found(message: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        clusterName=None,
        nodegroupName=None,
        fargateProfileName=None,
        addonName=None,
        message=message,
    )


def in_use(message: str) -> ResourceInUseException:
    return ResourceInUseException(
        clusterName=None, nodegroupName=None, addonName=None, message=message
    )


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def arn_below(cluster: Cluster, kind: str, *parts: str) -> str:
    return "/".join([cluster.arn.replace(":cluster/", f":{kind}/"), *parts])


# Clusters


def create_cluster(self: EKSResponse) -> ActionResult:
    """Keeps the access configuration and upgrade policy that moto drops, and gives the cluster
    what AWS derives: network, security group, OIDC issuer, a certificate authority that is one."""
    result = original_create_cluster(self)
    cluster = cluster_of(self)
    cluster.addons = {}
    cluster.access_entries = {}
    cluster.associated_policies = {}
    cluster.pod_identities = {}
    cluster.updates = {}

    # AWS reads the creator's bootstrap flag at creation and never returns it.
    requested_access = parameter(self, "accessConfig") or {}
    cluster.access_config = {
        "authenticationMode": requested_access.get("authenticationMode", "CONFIG_MAP")
    }
    cluster.upgrade_policy = parameter(self, "upgradePolicy") or {"supportType": "EXTENDED"}
    cluster.kubernetes_network_config = {"ipFamily": "ipv4", **cluster.kubernetes_network_config}
    cluster.resources_vpc_config = network_of(self, cluster)
    dns_suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
    issuer_id = hashlib.sha256(cluster.arn.encode()).hexdigest()[:32].upper()
    issuer = f"https://oidc.eks.{self.region}.{dns_suffix}/id/{issuer_id}"
    cluster.identity = {"oidc": {"issuer": issuer}}
    cluster.certificate_authority = {"data": base64.b64encode(authority_pem()).decode()}
    cluster.endpoint = os.environ.get("EKS_ENDPOINT") or (
        f"https://{issuer_id}.gr7.{self.region}.eks.{dns_suffix}"
    )
    return result


def network_of(request: EKSResponse, cluster: Cluster) -> dict[str, Any]:
    ec2 = ec2_backends[request.current_account][request.region]
    requested = cluster.resources_vpc_config
    vpc_id = ec2.get_subnet(requested["subnetIds"][0]).vpc_id
    group = ec2.create_security_group(
        f"eks-cluster-sg-{cluster.name}",
        "EKS created security group applied to the control plane and managed nodes",
        vpc_id=vpc_id,
    )
    defaults = {
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "securityGroupIds": [],
    }
    network = {**defaults, **requested, "vpcId": vpc_id, "clusterSecurityGroupId": group.id}
    return with_public_cidrs(network)


def with_public_cidrs(network: dict[str, Any]) -> dict[str, Any]:
    """AWS opens a public endpoint to everyone unless told otherwise."""
    if network["endpointPublicAccess"] and not network.get("publicAccessCidrs"):
        return {**network, "publicAccessCidrs": ["0.0.0.0/0"]}
    return network


def authority_pem() -> bytes:
    """The certificate authority of EKS_CA_FILE, else one made up on the spot: a Kubernetes
    provider that decodes it must find a certificate."""
    given = os.environ.get("EKS_CA_FILE")
    if given:
        return Path(given).read_bytes()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now())
        .not_valid_after(now() + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def delete_cluster(self: EKSResponse) -> ActionResult:
    cluster = cluster_of(self)
    result = original_delete_cluster(self)
    ec2 = ec2_backends[self.current_account][self.region]
    ec2.delete_security_group(group_id=cluster.resources_vpc_config["clusterSecurityGroupId"])
    return result


# Updates: AWS answers every one with an id to ask after, moto with the cluster itself


def finished_update(cluster: Cluster, kind: str) -> ActionResult:
    update = {
        "id": str(uuid.uuid4()),
        "status": "Successful",
        "type": kind,
        "params": [],
        "createdAt": now(),
        "errors": [],
    }
    cluster.updates[update["id"]] = update
    return ActionResult({"update": update})


def describe_update(self: EKSResponse) -> ActionResult:
    update_id = parameter(self, "updateId")
    update = cluster_of(self).updates.get(update_id)
    if update is None:
        raise not_found(f"No update found for ID: {update_id}.")
    return ActionResult({"update": update})


def update_cluster_config(self: EKSResponse) -> ActionResult:
    """Changes only what the request names; moto replaces the whole network part."""
    cluster = cluster_of(self)
    network = parameter(self, "resourcesVpcConfig")
    if network:
        merged = {**cluster.resources_vpc_config, **network}
        if not merged["endpointPublicAccess"]:
            merged.pop("publicAccessCidrs", None)
        cluster.resources_vpc_config = with_public_cidrs(merged)
        return finished_update(cluster, "EndpointAccessUpdate")
    logging = parameter(self, "logging")
    if logging:
        cluster.logging = logging
        return finished_update(cluster, "LoggingUpdate")
    access = parameter(self, "accessConfig")
    if access:
        change_authentication_mode(cluster, access["authenticationMode"])
        return finished_update(cluster, "AccessConfigUpdate")
    upgrade_policy = parameter(self, "upgradePolicy")
    if upgrade_policy:
        cluster.upgrade_policy = upgrade_policy
        return finished_update(cluster, "UpgradePolicyUpdate")
    raise InvalidParameterException(message="This emulator does not know this cluster update")


def change_authentication_mode(cluster: Cluster, mode: str) -> None:
    """AWS lets the mode move towards the API only, a step at a time."""
    order = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]
    current = cluster.access_config["authenticationMode"]
    if order.index(mode) != order.index(current) + 1:
        raise InvalidParameterException(
            message=f"Unsupported authentication mode update from {current} to {mode}"
        )
    cluster.access_config = {"authenticationMode": mode}


def update_cluster_version(self: EKSResponse) -> ActionResult:
    """AWS upgrades by one minor version at a time, and never downwards."""
    cluster = cluster_of(self)
    version = parameter(self, "version")
    current, wanted = (int(text.split(".")[1]) for text in (cluster.version, version))
    if wanted != current + 1:
        raise InvalidParameterException(
            message=f"Unsupported Kubernetes minor version update from {cluster.version} to {version}"
        )
    cluster.version = version
    return finished_update(cluster, "VersionUpdate")


# Node groups


def create_nodegroup(self: EKSResponse) -> ActionResult:
    """Leaves out the SSH access and disk size that moto invents, keeps the update settings that
    it drops, and takes the version from the cluster. Refuses what EKS refuses beside a template."""
    template = parameter(self, "launchTemplate")
    launched = template_data_of(self, template)
    refuse_both_types(launched, parameter(self, "instanceTypes"))
    if launched.get("ImageId"):
        for name in ("amiType", "version", "releaseVersion"):
            if parameter(self, name):
                raise InvalidParameterException(
                    message=f"You cannot specify {name} with an image id in the launch template."
                )
    result = original_create_nodegroup(self)
    cluster = cluster_of(self)
    nodegroup = nodegroup_of(self)
    if launched.get("ImageId"):
        nodegroup.ami_type = "CUSTOM"
    nodegroup.remote_access = parameter(self, "remoteAccess")
    nodegroup.update_config = parameter(self, "updateConfig") or {"maxUnavailable": 1}
    nodegroup.version = parameter(self, "version") or cluster.version
    nodegroup.release_version = (
        parameter(self, "releaseVersion") or f"{nodegroup.version}.0-20260101"
    )
    if template:
        nodegroup.disk_size = None
        if not parameter(self, "instanceTypes"):
            nodegroup.instance_types = None
    return result


def template_data_of(request: EKSResponse, template: dict[str, str] | None) -> dict[str, Any]:
    """What a version of a launch template gives an instance."""
    if not template:
        return {}
    ec2 = ec2_backends[request.current_account][request.region]
    found = (
        ec2.get_launch_template(template["id"])
        if template.get("id")
        else ec2.get_launch_template_by_name(template["name"])
    )
    return found.get_version(template.get("version", "$Default")).data


def refuse_both_types(launched: dict[str, Any], instance_types: list[str] | None) -> None:
    """Amazon EKS User Guide, "Customize managed nodes with launch templates"."""
    if launched.get("InstanceType") and instance_types:
        raise InvalidParameterException(
            message="Instance types of the node group and of its launch template exclude each other."
        )


def update_nodegroup_config(self: EKSResponse) -> ActionResult:
    original_update_nodegroup_config(self)
    return finished_update(cluster_of(self), "ConfigUpdate")


def update_nodegroup_version(self: EKSResponse) -> ActionResult:
    """A new Kubernetes version, image release or launch template version for the nodes."""
    nodegroup = nodegroup_of(self)
    version = parameter(self, "version")
    release_version = parameter(self, "releaseVersion")
    template = parameter(self, "launchTemplate")
    refuse_both_types(template_data_of(self, template), nodegroup.instance_types)
    if version:
        nodegroup.version = version
        nodegroup.release_version = f"{version}.0-20260101"
    if release_version:
        nodegroup.release_version = release_version
    if template:
        nodegroup.launch_template = {**(nodegroup.launch_template or {}), **template}
    return finished_update(cluster_of(self), "VersionUpdate")


# Add-ons


def supported_addon_versions(kubernetes_version: str) -> list[dict[str, Any]]:
    """Two for each Kubernetes version, newest first; the older one is the default, as AWS has it often."""
    minor = kubernetes_version.split(".")[1]
    return [
        {
            "addonVersion": f"v1.{minor}.{patch}-eksbuild.1",
            "architecture": ["amd64", "arm64"],
            "compatibilities": [
                {
                    "clusterVersion": kubernetes_version,
                    "platformVersions": ["*"],
                    "defaultVersion": patch == 1,
                }
            ],
        }
        for patch in (2, 1)
    ]


def default_addon_version(kubernetes_version: str) -> str:
    return supported_addon_versions(kubernetes_version)[1]["addonVersion"]


def describe_addon_versions(self: EKSResponse) -> ActionResult:
    name = parameter(self, "addonName")
    version = parameter(self, "kubernetesVersion")
    addon = {"addonName": name, "addonVersions": supported_addon_versions(version)}
    return ActionResult({"addons": [addon]})


def addon_of(request: EKSResponse) -> dict[str, Any]:
    name = parameter(request, "addonName")
    addon = cluster_of(request).addons.get(name)
    if addon is None:
        raise not_found(f"No addon: {name} found in cluster: {cluster_of(request).name}")
    return addon


def create_addon(self: EKSResponse) -> ActionResult:
    cluster = cluster_of(self)
    name = parameter(self, "addonName")
    if name in cluster.addons:
        raise in_use("Addon already exists.")
    cluster.addons[name] = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "addonVersion": default_addon_version(cluster.version),
        "health": {"issues": []},
        "addonArn": arn_below(cluster, "addon", name, str(uuid.uuid4())),
        "createdAt": now(),
        "modifiedAt": now(),
        "tags": {},
        "podIdentityAssociations": [],
        **present(self, "addonVersion", "serviceAccountRoleArn", "configurationValues", "tags"),
    }
    return ActionResult({"addon": cluster.addons[name]})


def describe_addon(self: EKSResponse) -> ActionResult:
    return ActionResult({"addon": addon_of(self)})


def update_addon(self: EKSResponse) -> ActionResult:
    addon_of(self).update(
        present(self, "addonVersion", "serviceAccountRoleArn", "configurationValues"),
        modifiedAt=now(),
    )
    return finished_update(cluster_of(self), "AddonUpdate")


def delete_addon(self: EKSResponse) -> ActionResult:
    addon = addon_of(self)
    del cluster_of(self).addons[addon["addonName"]]
    return ActionResult({"addon": addon})


# Access entries and the policies associated with them


def access_entry_of(request: EKSResponse) -> dict[str, Any]:
    principal = parameter(request, "principalArn")
    entry = cluster_of(request).access_entries.get(principal)
    if entry is None:
        raise not_found(f"The specified principalArn could not be found: {principal}")
    return entry


def create_access_entry(self: EKSResponse) -> ActionResult:
    cluster = cluster_of(self)
    principal = parameter(self, "principalArn")
    if cluster.access_config["authenticationMode"] == "CONFIG_MAP":
        raise InvalidRequestException(
            message="The cluster's authentication mode must be set to one of "
            "[API, API_AND_CONFIG_MAP] to perform this operation."
        )
    if principal in cluster.access_entries:
        raise in_use("The specified access entry resource is already in use on this cluster.")
    _, _, _, _, account, resource = principal.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind not in ("role", "user"):
        raise InvalidParameterException(
            message=f"The specified principalArn is invalid: {principal}: invalid principal"
        )
    cluster.access_entries[principal] = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "kubernetesGroups": [],
        "accessEntryArn": arn_below(
            cluster, "access-entry", kind, account, name.split("/")[-1], str(uuid.uuid4())
        ),
        "createdAt": now(),
        "modifiedAt": now(),
        "tags": {},
        "username": principal,
        "type": "STANDARD",
        **present(self, "kubernetesGroups", "tags", "username", "type"),
    }
    return ActionResult({"accessEntry": cluster.access_entries[principal]})


def describe_access_entry(self: EKSResponse) -> ActionResult:
    return ActionResult({"accessEntry": access_entry_of(self)})


def update_access_entry(self: EKSResponse) -> ActionResult:
    entry = access_entry_of(self)
    entry.update(present(self, "kubernetesGroups", "username"), modifiedAt=now())
    return ActionResult({"accessEntry": entry})


def delete_access_entry(self: EKSResponse) -> ActionResult:
    cluster = cluster_of(self)
    principal = access_entry_of(self)["principalArn"]
    del cluster.access_entries[principal]
    cluster.associated_policies.pop(principal, None)
    return EmptyResult()


def associated_policies_of(request: EKSResponse) -> dict[str, dict[str, Any]]:
    """By policy ARN; the principal must have an access entry."""
    principal = access_entry_of(request)["principalArn"]
    return cluster_of(request).associated_policies.setdefault(principal, {})


def associate_access_policy(self: EKSResponse) -> ActionResult:
    principal = parameter(self, "principalArn")
    policy_arn = parameter(self, "policyArn")
    policies = associated_policies_of(self)
    if not policy_arn.startswith(f"arn:{self.partition}:eks::aws:cluster-access-policy/"):
        raise InvalidParameterException(
            message=f"The policyArn parameter is not valid: {policy_arn}"
        )
    policies[policy_arn] = {
        "policyArn": policy_arn,
        "accessScope": parameter(self, "accessScope"),
        "associatedAt": now(),
        "modifiedAt": now(),
    }
    return ActionResult(
        {
            "clusterName": cluster_of(self).name,
            "principalArn": principal,
            "associatedAccessPolicy": policies[policy_arn],
        }
    )


def disassociate_access_policy(self: EKSResponse) -> ActionResult:
    policy_arn = parameter(self, "policyArn")
    if associated_policies_of(self).pop(policy_arn, None) is None:
        raise not_found(f"The specified policyArn is not associated: {policy_arn}")
    return EmptyResult()


def list_associated_access_policies(self: EKSResponse) -> ActionResult:
    return ActionResult(
        {
            "clusterName": cluster_of(self).name,
            "principalArn": parameter(self, "principalArn"),
            "associatedAccessPolicies": list(associated_policies_of(self).values()),
        }
    )


# Associations of roles with ServiceAccounts


def pod_identity_of(request: EKSResponse) -> dict[str, Any]:
    identifier = parameter(request, "associationId")
    association = cluster_of(request).pod_identities.get(identifier)
    if association is None:
        raise not_found(f"The specified associationId could not be found: {identifier}")
    return association


def create_pod_identity_association(self: EKSResponse) -> ActionResult:
    cluster = cluster_of(self)
    pods = present(self, "namespace", "serviceAccount")
    for other in cluster.pod_identities.values():
        if {name: other[name] for name in pods} == pods:
            raise in_use(f"Association already exists: {other['associationId']}")
    identifier = f"a-{uuid.uuid4().hex[:17]}"
    cluster.pod_identities[identifier] = {
        "clusterName": cluster.name,
        **pods,
        "associationArn": arn_below(cluster, "podidentityassociation", cluster.name, identifier),
        "associationId": identifier,
        "createdAt": now(),
        "modifiedAt": now(),
        "disableSessionTags": False,
        "tags": {},
        **present(self, "roleArn", "tags", "disableSessionTags", "targetRoleArn"),
    }
    return ActionResult({"association": cluster.pod_identities[identifier]})


def describe_pod_identity_association(self: EKSResponse) -> ActionResult:
    return ActionResult({"association": pod_identity_of(self)})


def list_pod_identity_associations(self: EKSResponse) -> ActionResult:
    wanted = present(self, "namespace", "serviceAccount")
    found = [
        association
        for association in cluster_of(self).pod_identities.values()
        if all(association[name] == value for name, value in wanted.items())
    ]
    return ActionResult({"associations": found})


def update_pod_identity_association(self: EKSResponse) -> ActionResult:
    association = pod_identity_of(self)
    changes = present(self, "roleArn", "disableSessionTags", "targetRoleArn")
    association.update(changes, modifiedAt=now())
    return ActionResult({"association": association})


def delete_pod_identity_association(self: EKSResponse) -> ActionResult:
    association = pod_identity_of(self)
    del cluster_of(self).pod_identities[association["associationId"]]
    return ActionResult({"association": association})


# Tags: moto knows those of clusters only


def tags_of_resource(request: EKSResponse) -> dict[str, str]:
    arn = request._extract_arn_from_path()
    for cluster in request.eks_backend.clusters.values():
        if cluster.arn == arn:
            return cluster.tags
        for nodegroup in cluster.nodegroups.values():
            if nodegroup.arn == arn:
                return nodegroup.tags
        for addon in cluster.addons.values():
            if addon["addonArn"] == arn:
                return addon["tags"]
        for entry in cluster.access_entries.values():
            if entry["accessEntryArn"] == arn:
                return entry["tags"]
        for association in cluster.pod_identities.values():
            if association["associationArn"] == arn:
                return association["tags"]
    raise not_found(f"Resource was not found: {arn}")


def tag_resource(self: EKSResponse) -> ActionResult:
    tags_of_resource(self).update(parameter(self, "tags"))
    return EmptyResult()


def untag_resource(self: EKSResponse) -> ActionResult:
    tags = tags_of_resource(self)
    for key in self.querystring["tagKeys"]:
        tags.pop(key, None)
    return EmptyResult()


def list_tags_for_resource(self: EKSResponse) -> ActionResult:
    return ActionResult({"tags": tags_of_resource(self)})
