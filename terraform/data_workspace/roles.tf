# Who may do what: each identity has the least role at the narrowest scope that its work needs.

locals {
  # Azure's built-in roles; the ids are the same in every tenant.
  role = {
    network_contributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    blob_contributor    = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    blob_reader         = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    secrets_user        = "4633458b-17de-408a-b874-0445c86b69e6"
    secrets_officer     = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    cluster_user        = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    # Its name says more than it gives: without local accounts there is no admin's credential, and the run command is left.
    run_command       = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"
    kubernetes_admin  = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    kubernetes_writer = "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb"
    reader            = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
  }
  role_id = { for name, id in local.role : name => "/subscriptions/${var.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/${id}" }
}

# The cluster joins its nodes to the subnet, and reads the network and its gateway: the subnet alone would be too narrow.
resource "azapi_resource" "cluster_on_network" {
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = azapi_resource.network.id
  name      = uuidv5("url", "${local.group_id}/${var.names.network}/${var.names.cluster_identity}/network")

  body = {
    properties = {
      principalId      = azapi_resource.cluster_identity.output.principal_id
      principalType    = "ServicePrincipal"
      roleDefinitionId = local.role_id.network_contributor
    }
  }
}

resource "azapi_resource" "jobs_identity" {
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  parent_id = azapi_resource.group.id
  name      = var.names.jobs_identity
  location  = var.location
  tags      = var.tags
  body      = {}

  response_export_values = { principal_id = "properties.principalId", client_id = "properties.clientId" }
}

# A pod of the jobs' service account is this identity; there is no secret.
resource "azapi_resource" "jobs_federation" {
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30"
  parent_id = azapi_resource.jobs_identity.id
  name      = "${var.jobs_namespace}-${var.jobs_account}"

  body = {
    properties = {
      audiences = ["api://AzureADTokenExchange"]
      issuer    = azapi_resource.cluster.output.issuer
      subject   = "system:serviceaccount:${var.jobs_namespace}:${var.jobs_account}"
    }
  }
}

resource "azapi_resource" "jobs_on_container" {
  for_each = azapi_resource.container

  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = each.value.id
  name      = uuidv5("url", "${local.group_id}/${var.names.storage}/${each.key}/${var.names.jobs_identity}")

  body = {
    properties = {
      principalId      = azapi_resource.jobs_identity.output.principal_id
      principalType    = "ServicePrincipal"
      roleDefinitionId = contains(var.read_only, each.key) ? local.role_id.blob_reader : local.role_id.blob_contributor
    }
  }
}

resource "azapi_resource" "jobs_on_vault" {
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = azapi_resource.vault.id
  name      = uuidv5("url", "${local.group_id}/${var.names.vault}/${var.names.jobs_identity}")

  body = {
    properties = {
      principalId      = azapi_resource.jobs_identity.output.principal_id
      principalType    = "ServicePrincipal"
      roleDefinitionId = local.role_id.secrets_user
    }
  }
}

# Whoever applies this makes the namespace and the accounts inside, through the run command.
resource "azapi_resource" "configurer" {
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = azapi_resource.cluster.id
  name      = uuidv5("url", "${local.group_id}/${var.names.cluster}/configurer")

  body = {
    properties = {
      principalId      = data.azapi_client_config.current.object_id
      roleDefinitionId = local.role_id.kubernetes_admin
    }
  }

  lifecycle {
    # Another login may change or remove what this one made.
    ignore_changes = [body]
  }
}

resource "azapi_resource" "team" {
  for_each = var.team_group_id == "" ? {} : {
    group       = { scope = azapi_resource.group.id, role = "reader" }
    cluster     = { scope = azapi_resource.cluster.id, role = "cluster_user" }
    run_command = { scope = azapi_resource.cluster.id, role = "run_command" }
    kubernetes  = { scope = "${azapi_resource.cluster.id}/namespaces/${var.jobs_namespace}", role = "kubernetes_writer" }
    data        = { scope = azapi_resource.storage.id, role = "blob_contributor" }
    secrets     = { scope = azapi_resource.vault.id, role = "secrets_officer" }
  }

  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = each.value.scope
  name      = uuidv5("url", "${local.group_id}/team/${each.key}")

  body = {
    properties = {
      principalId      = var.team_group_id
      principalType    = "Group"
      roleDefinitionId = local.role_id[each.value.role]
    }
  }
}
