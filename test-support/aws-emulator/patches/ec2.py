"""EC2: launch templates and security group rules that read back as they were written, and ARNs of
the region's own partition."""

from collections.abc import Iterator
from typing import Any

from moto.ec2.models import launch_templates, security_groups, subnets


def patch() -> None:
    keep_template_tags_out_of_template_data()
    return_current_tags_of_templates()
    return_descriptions_of_group_rules()
    name_partition_of_region()


def keep_template_tags_out_of_template_data() -> None:
    """The tags of the template itself are not part of what the template launches."""
    original_init = launch_templates.LaunchTemplateVersion.__init__

    def init(self: Any, template: Any, number: int, data: dict, description: str) -> None:
        if data.get("TagSpecifications"):
            data["TagSpecifications"] = [
                specification
                for specification in data["TagSpecifications"]
                if specification.get("ResourceType") != "launch-template"
            ]
        original_init(self, template, number, data, description)

    launch_templates.LaunchTemplateVersion.__init__ = init


def return_current_tags_of_templates() -> None:
    """moto answers with the tags that a launch template was created with."""
    launch_templates.LaunchTemplate.tags = property(
        lambda template: template.get_tags(),
        lambda template, tags_at_creation: None,
    )


def return_descriptions_of_group_rules() -> None:
    """moto reads a rule's description from its address range only; a rule that names a group
    or a prefix list has none."""

    def description(rule: Any) -> str | None:
        return next(
            (
                part["Description"]
                for part in (rule.ip_range, rule.source_group, rule.prefix_list_id)
                if isinstance(part, dict) and part.get("Description")
            ),
            None,
        )

    for rule_class in classes_with_description(security_groups):
        rule_class.description = property(description)


def classes_with_description(module: Any) -> Iterator[Any]:
    for value in vars(module).values():
        if isinstance(value, type) and isinstance(value.__dict__.get("description"), property):
            yield value


def name_partition_of_region() -> None:
    """moto gives every subnet and security group an ARN of the partition aws."""

    def arn(kind: str) -> property:
        def of(resource: Any) -> str:
            backend = resource.ec2_backend
            location = f"{backend.region_name}:{backend.account_id}"
            return f"arn:{backend.partition}:ec2:{location}:{kind}/{resource.id}"

        # moto sets a group's ARN itself, which is to be without effect.
        return property(of, lambda resource, arn_of_moto: None)

    subnets.Subnet.arn = arn("subnet")
    security_groups.SecurityGroup.arn = arn("security-group")
