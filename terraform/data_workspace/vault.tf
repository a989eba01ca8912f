# The key vault: roles instead of access policies, purge protection, closed but for the nodes.

data "azapi_client_config" "current" {}

resource "azapi_resource" "vault" {
  # Azure answers ids of subnets in small letters.
  ignore_casing = true

  type      = "Microsoft.KeyVault/vaults@2024-11-01"
  parent_id = azapi_resource.group.id
  name      = var.names.vault
  location  = var.location
  tags      = var.tags

  body = {
    properties = merge(
      {
        tenantId                     = data.azapi_client_config.current.tenant_id
        sku                          = { family = "A", name = "standard" }
        enableRbacAuthorization      = true
        enableSoftDelete             = true
        enablePurgeProtection        = true
        softDeleteRetentionInDays    = 90
        enabledForDeployment         = false
        enabledForDiskEncryption     = false
        enabledForTemplateDeployment = false
        networkAcls = {
          bypass              = "AzureServices"
          defaultAction       = "Deny"
          ipRules             = []
          virtualNetworkRules = [for id in local.private ? [] : [local.nodes_subnet_id] : { id = id, ignoreMissingVnetServiceEndpoint = false }]
        }
      },
      { for name, value in { publicNetworkAccess = "Disabled" } : name => value if local.private },
    )
  }

  response_export_values = { uri = "properties.vaultUri" }
}
