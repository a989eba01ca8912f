"""The table of the stand-in for Azure/azapi: the provider's configuration, three resources and five data sources.

Types and flags are those recorded from the released provider 2.12.0 on 2026-11-21; the defaults of `retry`, `method` and `when`,
which the recording does not show, are those of its published documentation. The data plane is left out.
"""

from __future__ import annotations

from cluster_sim.mirror.schema import BOOL, DYNAMIC, NUMBER, STRING, STRING_MAP, STRINGS, Attribute, Block, Nested

QUERY = ["map", STRINGS]

RETRY = Nested(
    "single",
    "O",
    {
        "error_message_regex": Attribute(STRINGS, "R"),
        "interval_seconds": Attribute(NUMBER, "OC", 10),
        "max_interval_seconds": Attribute(NUMBER, "OC", 180),
        "multiplier": Attribute(NUMBER, "OCD", 1.5),
        "randomization_factor": Attribute(NUMBER, "OCD", 0.5),
    },
)
READ_TIMEOUT = Block({"read": Attribute(STRING, "O")}, nesting="single")
TIMEOUTS = Block({name: Attribute(STRING, "O") for name in ("create", "delete", "read", "update")}, nesting="single")

CONFIGURATION = Block(
    {
        "always_acquire_policy_token": Attribute(BOOL, "O"),
        "auxiliary_tenant_ids": Attribute(STRINGS, "O"),
        "client_certificate": Attribute(STRING, "O"),
        "client_certificate_password": Attribute(STRING, "O"),
        "client_certificate_path": Attribute(STRING, "O"),
        "client_id": Attribute(STRING, "O"),
        "client_id_file_path": Attribute(STRING, "O"),
        "client_secret": Attribute(STRING, "O"),
        "client_secret_file_path": Attribute(STRING, "O"),
        "custom_correlation_request_id": Attribute(STRING, "O"),
        "default_location": Attribute(STRING, "O"),
        "default_name": Attribute(STRING, "O"),
        "default_tags": Attribute(STRING_MAP, "O"),
        "disable_correlation_request_id": Attribute(BOOL, "O"),
        "disable_default_output": Attribute(BOOL, "O"),
        "disable_instance_discovery": Attribute(BOOL, "O"),
        "disable_terraform_partner_id": Attribute(BOOL, "O"),
        "enable_preflight": Attribute(BOOL, "O"),
        "endpoint": Nested(
            "list",
            "O",
            {
                "active_directory_authority_host": Attribute(STRING, "O"),
                "resource_manager_audience": Attribute(STRING, "O"),
                "resource_manager_endpoint": Attribute(STRING, "O"),
            },
        ),
        "environment": Attribute(STRING, "O"),
        "ignore_no_op_changes": Attribute(BOOL, "O"),
        "maximum_busy_retry_attempts": Attribute(NUMBER, "O"),
        "oidc_azure_service_connection_id": Attribute(STRING, "O"),
        "oidc_request_token": Attribute(STRING, "O"),
        "oidc_request_url": Attribute(STRING, "O"),
        "oidc_token": Attribute(STRING, "O"),
        "oidc_token_file_path": Attribute(STRING, "O"),
        "partner_id": Attribute(STRING, "O"),
        "preserve_resource_id_casing": Attribute(BOOL, "O"),
        "skip_provider_registration": Attribute(BOOL, "O"),
        "subscription_id": Attribute(STRING, "O"),
        "tenant_id": Attribute(STRING, "O"),
        "use_aks_workload_identity": Attribute(BOOL, "O"),
        "use_cli": Attribute(BOOL, "O"),
        "use_msi": Attribute(BOOL, "O"),
        "use_oidc": Attribute(BOOL, "O"),
    }
)

RESOURCE = Block(
    {
        "body": Attribute(DYNAMIC, "OC"),
        "create_headers": Attribute(STRING_MAP, "O"),
        "create_query_parameters": Attribute(QUERY, "O"),
        "delete_headers": Attribute(STRING_MAP, "O"),
        "delete_query_parameters": Attribute(QUERY, "O"),
        "id": Attribute(STRING, "C"),
        "ignore_body_changes": Attribute(STRINGS, "OW", refused=True),
        "ignore_casing": Attribute(BOOL, "OC", False),
        "ignore_missing_property": Attribute(BOOL, "OC", True),
        "ignore_null_property": Attribute(BOOL, "OC", False),
        "ignore_other_items_in_list": Attribute(STRINGS, "O", refused=True),
        "list_unique_id_property": Attribute(STRING_MAP, "O"),
        "location": Attribute(STRING, "OC"),
        "locks": Attribute(STRINGS, "O"),
        "name": Attribute(STRING, "OC"),
        "output": Attribute(DYNAMIC, "C"),
        "parent_id": Attribute(STRING, "OC"),
        "read_headers": Attribute(STRING_MAP, "O"),
        "read_query_parameters": Attribute(QUERY, "O"),
        "replace_triggers_external_values": Attribute(DYNAMIC, "O"),
        "replace_triggers_refs": Attribute(STRINGS, "O"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "schema_validation_enabled": Attribute(BOOL, "OC", True),
        "sensitive_body": Attribute(DYNAMIC, "OW"),
        "sensitive_body_version": Attribute(STRING_MAP, "O"),
        "tags": Attribute(STRING_MAP, "OC"),
        "type": Attribute(STRING, "R"),
        "update_headers": Attribute(STRING_MAP, "O"),
        "update_query_parameters": Attribute(QUERY, "O"),
        "identity": Block(
            {
                "identity_ids": Attribute(STRINGS, "O"),
                "principal_id": Attribute(STRING, "C"),
                "tenant_id": Attribute(STRING, "C"),
                "type": Attribute(STRING, "R"),
            }
        ),
        "timeouts": TIMEOUTS,
    }
)

UPDATE_RESOURCE = Block(
    {
        "body": Attribute(DYNAMIC, "O"),
        "id": Attribute(STRING, "C"),
        "ignore_casing": Attribute(BOOL, "OC", False),
        "ignore_missing_property": Attribute(BOOL, "OC", True),
        "ignore_other_items_in_list": Attribute(STRINGS, "O", refused=True),
        "list_unique_id_property": Attribute(STRING_MAP, "O"),
        "locks": Attribute(STRINGS, "O"),
        "name": Attribute(STRING, "OC"),
        "output": Attribute(DYNAMIC, "C"),
        "parent_id": Attribute(STRING, "OC"),
        "read_headers": Attribute(STRING_MAP, "O"),
        "read_query_parameters": Attribute(QUERY, "O"),
        "replace_triggers_external_values": Attribute(DYNAMIC, "O"),
        "resource_id": Attribute(STRING, "OC"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "sensitive_body": Attribute(DYNAMIC, "OW"),
        "sensitive_body_version": Attribute(STRING_MAP, "O"),
        "type": Attribute(STRING, "R"),
        "update_headers": Attribute(STRING_MAP, "O"),
        "update_query_parameters": Attribute(QUERY, "O"),
        "timeouts": TIMEOUTS,
    }
)

RESOURCE_ACTION = Block(
    {
        "action": Attribute(STRING, "O"),
        "body": Attribute(DYNAMIC, "O"),
        "exist": Attribute(BOOL, "C"),
        "headers": Attribute(STRING_MAP, "O"),
        "id": Attribute(STRING, "C"),
        "ignore_not_found": Attribute(BOOL, "O"),
        "locks": Attribute(STRINGS, "O"),
        "method": Attribute(STRING, "OC", "POST"),
        "output": Attribute(DYNAMIC, "C"),
        "query_parameters": Attribute(QUERY, "O"),
        "resource_id": Attribute(STRING, "R"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "sensitive_body": Attribute(DYNAMIC, "OW"),
        "sensitive_body_version": Attribute(STRING_MAP, "O"),
        "sensitive_output": Attribute(DYNAMIC, "CS"),
        "sensitive_response_export_values": Attribute(DYNAMIC, "O"),
        "type": Attribute(STRING, "R"),
        "when": Attribute(STRING, "OC", "apply"),
        "timeouts": TIMEOUTS,
    }
)

CLIENT_CONFIG = Block(
    {
        "id": Attribute(STRING, "C"),
        "object_id": Attribute(STRING, "C"),
        "subscription_id": Attribute(STRING, "C"),
        "subscription_resource_id": Attribute(STRING, "C"),
        "tenant_id": Attribute(STRING, "C"),
        "timeouts": READ_TIMEOUT,
    }
)

RESOURCE_SOURCE = Block(
    {
        "exists": Attribute(BOOL, "C"),
        "headers": Attribute(STRING_MAP, "O"),
        "id": Attribute(STRING, "C"),
        "identity": Nested(
            "list",
            "C",
            {
                "identity_ids": Attribute(STRINGS, "C"),
                "principal_id": Attribute(STRING, "C"),
                "tenant_id": Attribute(STRING, "C"),
                "type": Attribute(STRING, "C"),
            },
        ),
        "ignore_not_found": Attribute(BOOL, "O"),
        "location": Attribute(STRING, "C"),
        "name": Attribute(STRING, "OC"),
        "output": Attribute(DYNAMIC, "C"),
        "parent_id": Attribute(STRING, "OC"),
        "query_parameters": Attribute(QUERY, "O"),
        "resource_id": Attribute(STRING, "OC"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "tags": Attribute(STRING_MAP, "C"),
        "type": Attribute(STRING, "R"),
        "timeouts": READ_TIMEOUT,
    }
)

RESOURCE_ID_SOURCE = Block(
    {
        "id": Attribute(STRING, "C"),
        "name": Attribute(STRING, "OC"),
        "parent_id": Attribute(STRING, "OC"),
        "parts": Attribute(STRING_MAP, "C"),
        "provider_namespace": Attribute(STRING, "C"),
        "resource_group_name": Attribute(STRING, "C"),
        "resource_id": Attribute(STRING, "OC"),
        "subscription_id": Attribute(STRING, "C"),
        "type": Attribute(STRING, "R"),
        "timeouts": READ_TIMEOUT,
    }
)

RESOURCE_LIST_SOURCE = Block(
    {
        "headers": Attribute(STRING_MAP, "O"),
        "id": Attribute(STRING, "C"),
        "output": Attribute(DYNAMIC, "C"),
        "parent_id": Attribute(STRING, "R"),
        "query_parameters": Attribute(QUERY, "O"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "type": Attribute(STRING, "R"),
        "timeouts": READ_TIMEOUT,
    }
)

RESOURCE_ACTION_SOURCE = Block(
    {
        "action": Attribute(STRING, "O"),
        "body": Attribute(DYNAMIC, "O"),
        "headers": Attribute(STRING_MAP, "O"),
        "id": Attribute(STRING, "C"),
        "method": Attribute(STRING, "OC"),
        "output": Attribute(DYNAMIC, "C"),
        "query_parameters": Attribute(QUERY, "O"),
        "resource_id": Attribute(STRING, "O"),
        "response_export_values": Attribute(DYNAMIC, "O"),
        "retry": RETRY,
        "sensitive_output": Attribute(DYNAMIC, "CS"),
        "sensitive_response_export_values": Attribute(DYNAMIC, "O"),
        "type": Attribute(STRING, "R"),
        "timeouts": READ_TIMEOUT,
    }
)
