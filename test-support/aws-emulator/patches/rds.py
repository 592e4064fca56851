"""RDS: insights, resource ids, parameters of groups, capacity."""

import random
import string
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBCluster, DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

# What is kept as it was asked for, and the name that it is asked for by where that is another.
INSIGHTS = {
    "performance_insights_enabled": "enable_performance_insights",
    "performance_insights_kms_key_id": None,
    "performance_insights_retention_period": None,
    "database_insights_mode": None,
}


def patch() -> None:
    remember_insights(DBInstance)
    remember_insights(DBCluster)
    resource_id_of_each_instance()
    describe_parameters()
    no_capacity_of_serverless_v1()


def remember_insights(model: Any) -> None:
    """Those of CreateDB..., ModifyDB... and, of a snapshot's database, RestoreDB...."""
    original_init = model.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **kwargs)
        for name, asked in INSIGHTS.items():
            setattr(self, name, kwargs.get(asked or name, kwargs.get(name)))

    model.__init__ = init
    # A change sets attributes by the names of its parameters.
    model.enable_performance_insights = property(
        fget=lambda self: self.performance_insights_enabled,
        fset=lambda self, value: setattr(self, "performance_insights_enabled", value),
    )


def resource_id_of_each_instance() -> None:
    """All of moto's have one and the same, by which Terraform's provider tells them apart."""
    original_init = DBInstance.__init__

    def init(self: DBInstance, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **kwargs)
        letters = random.choices(string.ascii_uppercase + string.digits, k=26)
        self.dbi_resource_id = f"db-{''.join(letters)}"

    DBInstance.__init__ = init


def describe_parameters() -> None:
    """Whose they are: Terraform's provider reads those of Source `user` alone."""

    def answer(parameters: Any) -> ActionResult:
        found = [{"Source": "user", "ApplyType": "dynamic", **one} for one in parameters]
        return ActionResult({"Parameters": found})

    def describe_db_parameters(self: RDSResponse) -> ActionResult:
        name = self.params.get("DBParameterGroupName")
        group = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})[0]
        return answer(group.parameters.values())

    def describe_db_cluster_parameters(self: RDSResponse) -> ActionResult:
        name = self.params.get("DBClusterParameterGroupName")
        backend: RDSBackend = self.backend
        return answer(backend.describe_db_cluster_parameter_groups(name)[0].parameters.values())

    RDSResponse.describe_db_parameters = describe_db_parameters
    RDSResponse.describe_db_cluster_parameters = describe_db_cluster_parameters


def no_capacity_of_serverless_v1() -> None:
    """moto answers with an empty ScalingConfigurationInfo, which is that of Serverless v1, for every cluster."""
    original = DBCluster.scaling_configuration_info.fget
    DBCluster.scaling_configuration_info = property(
        lambda self: original(self) if self.scaling_configuration else None
    )
