# A storage account with containers: identities only, TLS 1.2, closed but for named addresses; logs of what is written and deleted.

locals {
  open = length(var.allowed_ranges) > 0
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2023-07-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
  body      = {}
}

resource "azapi_resource" "storage" {
  type      = "Microsoft.Storage/storageAccounts@2025-01-01"
  parent_id = azapi_resource.group.id
  name      = var.names.storage
  location  = var.location
  tags      = var.tags

  body = {
    kind = "StorageV2"
    sku  = { name = "Standard_${var.redundancy}" }
    properties = merge(
      {
        accessTier                   = "Hot"
        isHnsEnabled                 = var.data_lake
        minimumTlsVersion            = "TLS1_2"
        supportsHttpsTrafficOnly     = true
        allowBlobPublicAccess        = false
        allowSharedKeyAccess         = false
        allowCrossTenantReplication  = false
        defaultToOAuthAuthentication = true
        isLocalUserEnabled           = false
        isSftpEnabled                = false
        allowedCopyScope             = "AAD"
        encryption = {
          keySource                       = "Microsoft.Storage"
          requireInfrastructureEncryption = true
          services = {
            blob = { enabled = true, keyType = "Account" }
            file = { enabled = true, keyType = "Account" }
          }
        }
        networkAcls = {
          bypass              = "AzureServices"
          defaultAction       = "Deny"
          ipRules             = [for range in var.allowed_ranges : { value = range, action = "Allow" }]
          virtualNetworkRules = []
        }
      },
      # Named addresses are let in by the rules above, and only while the public front is not switched off altogether.
      { for name, value in { publicNetworkAccess = "Disabled" } : name => value if !local.open },
    )
  }

  response_export_values = { dfs = "properties.primaryEndpoints.dfs", blob = "properties.primaryEndpoints.blob" }
}

# The blob service comes with the account, so it is changed, not made.
resource "azapi_update_resource" "blobs" {
  type      = "Microsoft.Storage/storageAccounts/blobServices@2025-01-01"
  parent_id = azapi_resource.storage.id
  name      = "default"

  body = {
    properties = {
      deleteRetentionPolicy          = { enabled = true, days = 7, allowPermanentDelete = false }
      containerDeleteRetentionPolicy = { enabled = true, days = 7 }
    }
  }
}

resource "azapi_resource" "container" {
  for_each = toset(var.containers)

  type      = "Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01"
  parent_id = azapi_update_resource.blobs.id
  name      = each.value

  body = {
    properties = {
      publicAccess = "None"
    }
  }
}

resource "azapi_resource" "logs" {
  type      = "Microsoft.OperationalInsights/workspaces@2025-07-01"
  parent_id = azapi_resource.group.id
  name      = var.names.logs
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      sku             = { name = "PerGB2018" }
      retentionInDays = var.log_retention_days
      features        = { disableLocalAuth = true, enableLogAccessUsingOnlyResourcePermissions = true }
    }
  }
}

resource "azapi_resource" "diagnostics" {
  for_each = {
    storage = { id = azapi_resource.storage.id, logs = [] }
    blobs   = { id = azapi_update_resource.blobs.id, logs = ["StorageWrite", "StorageDelete"] }
  }

  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = each.value.id
  name      = "to-log-analytics"

  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      logs        = [for category in each.value.logs : { category = category, enabled = true }]
      metrics     = [{ category = "Transaction", enabled = true }]
    }
  }
}
