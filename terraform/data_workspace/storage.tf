# The data lake: identities only, TLS 1.2, closed to everything but the nodes' subnet or the private endpoints.

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
        isHnsEnabled                 = true
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
          ipRules             = []
          virtualNetworkRules = [for id in local.private ? [] : [local.nodes_subnet_id] : { id = id, action = "Allow" }]
        }
      },
      # A service endpoint is let in by the rules above, and only while the public front is not switched off altogether.
      { for name, value in { publicNetworkAccess = "Disabled" } : name => value if local.private },
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

  # An account takes one change of its own at a time, and a private endpoint is one.
  locks = [azapi_resource.storage.id]
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

resource "azapi_resource" "lifecycle" {
  count = var.cool_after_days > 0 || var.delete_after_days > 0 ? 1 : 0

  type      = "Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01"
  parent_id = azapi_resource.storage.id
  name      = "default"

  body = {
    properties = {
      policy = {
        rules = concat(
          [for days in var.cool_after_days > 0 ? [var.cool_after_days] : [] : {
            name    = "cool"
            enabled = true
            type    = "Lifecycle"
            definition = {
              filters = { blobTypes = ["blockBlob"] }
              actions = { baseBlob = { tierToCool = { daysAfterModificationGreaterThan = days } } }
            }
          }],
          [for days in var.delete_after_days > 0 ? [var.delete_after_days] : [] : {
            name    = "delete-raw"
            enabled = true
            type    = "Lifecycle"
            definition = {
              filters = { blobTypes = ["blockBlob"], prefixMatch = ["${var.containers[0]}/"] }
              actions = { baseBlob = { delete = { daysAfterModificationGreaterThan = days } } }
            }
          }],
        )
      }
    }
  }

  depends_on = [azapi_resource.container]
}
