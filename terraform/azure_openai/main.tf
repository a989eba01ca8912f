# An Azure OpenAI account without keys and without a public door: people and programs log in with their own identity, through a private endpoint.

locals {
  zone_name    = "privatelink.openai.azure.com"
  zone_id      = var.dns_zones_id == "" ? azapi_resource.dns_zone[0].id : "${var.dns_zones_id}/providers/Microsoft.Network/privateDnsZones/${local.zone_name}"
  subscription = "/subscriptions/${var.subscription_id}"
  deployments  = { for d in var.deployments : d.name => d }
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id = local.subscription
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
}

resource "azapi_resource" "security_group" {
  type      = "Microsoft.Network/networkSecurityGroups@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.nsg
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      securityRules = [
        {
          name = "deny-internet-inbound"
          properties = {
            description              = "Nothing from the internet reaches the endpoint."
            priority                 = 4000
            direction                = "Inbound"
            access                   = "Deny"
            protocol                 = "*"
            sourceAddressPrefix      = "Internet"
            sourcePortRange          = "*"
            destinationAddressPrefix = "*"
            destinationPortRange     = "*"
          }
        },
      ]
    }
  }
}

# The subnet stands in the network's own body: a network put without it would lose it.
resource "azapi_resource" "virtual_network" {
  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.network
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      addressSpace = { addressPrefixes = [var.address_space] }
      subnets = [
        {
          name = "snet-endpoints"
          properties = {
            addressPrefix                  = cidrsubnet(var.address_space, 1, 0)
            defaultOutboundAccess          = false
            networkSecurityGroup           = { id = azapi_resource.security_group.id }
            privateEndpointNetworkPolicies = "Enabled"
          }
        },
      ]
    }
  }
}

resource "azapi_resource" "log_workspace" {
  type      = "Microsoft.OperationalInsights/workspaces@2023-09-01"
  parent_id = azapi_resource.group.id
  name      = var.names.logs
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      sku                             = { name = "PerGB2018" }
      retentionInDays                 = var.log_retention_days
      workspaceCapping                = { dailyQuotaGb = var.log_daily_quota_gb }
      features                        = { disableLocalAuth = true }
      publicNetworkAccessForIngestion = "Disabled"
      # People read logs in the portal, with their own login.
      publicNetworkAccessForQuery = "Enabled"
    }
  }
}

# An account that is removed keeps its name and its subdomain for 48 hours, unless it is purged: this does nothing but that, after the removal.
resource "azapi_resource_action" "purge" {
  type        = "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts@2025-06-01"
  resource_id = "${local.subscription}/providers/Microsoft.CognitiveServices/locations/${var.location}/resourceGroups/${var.names.resource_group}/deletedAccounts/${var.names.openai}"
  method      = "DELETE"
  when        = "destroy"

  depends_on = [azapi_resource.group]
}

resource "azapi_resource" "account" {
  type      = "Microsoft.CognitiveServices/accounts@2025-06-01"
  parent_id = azapi_resource.group.id
  name      = var.names.openai
  location  = var.location
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }

  body = {
    kind = "OpenAI"
    sku  = { name = "S0" }
    properties = {
      customSubDomainName           = var.names.openai
      disableLocalAuth              = true
      publicNetworkAccess           = "Disabled"
      networkAcls                   = { defaultAction = "Deny" }
      restrictOutboundNetworkAccess = true
    }
  }
  response_export_values = ["properties.endpoint"]

  depends_on = [azapi_resource_action.purge]
}

resource "azapi_resource" "deployment" {
  for_each = local.deployments

  type      = "Microsoft.CognitiveServices/accounts/deployments@2025-06-01"
  parent_id = azapi_resource.account.id
  name      = each.key
  tags      = var.tags
  body = {
    sku = {
      name     = each.value.sku
      capacity = each.value.capacity_thousands
    }
    properties = {
      model = {
        format  = "OpenAI"
        name    = each.value.model
        version = each.value.version
      }
      # The version stays until somebody changes it here.
      versionUpgradeOption = "NoAutoUpgrade"
      raiPolicyName        = "Microsoft.DefaultV2"
    }
  }
  # An account takes one change at a time.
  locks = [azapi_resource.account.id]
}

# The site's hub, from which everything private is reached. A peering has two sides.
resource "azapi_resource" "peering" {
  for_each = var.hub_id == "" ? {} : { there = { from = azapi_resource.virtual_network.id, to = var.hub_id }, back = { from = var.hub_id, to = azapi_resource.virtual_network.id } }

  type      = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2024-05-01"
  parent_id = each.value.from
  name      = "peer-${each.key}-${var.names.network}"
  body = {
    properties = {
      remoteVirtualNetwork      = { id = each.value.to }
      allowVirtualNetworkAccess = true
      allowForwardedTraffic     = true
      # The hub's way out is its own; a network of ours uses none of its gateways.
      allowGatewayTransit = false
      useRemoteGateways   = false
    }
  }
  # A network that is at another change takes no peering: ours are made one by one, and those of others are waited for.
  locks = [azapi_resource.virtual_network.id, var.hub_id]
  retry = {
    error_message_regex  = ["ReferencedResourceNotProvisioned", "AnotherOperationInProgress"]
    interval_seconds     = 15
    max_interval_seconds = 60
  }
}

resource "azapi_resource" "dns_zone" {
  count = var.dns_zones_id == "" ? 1 : 0

  type      = "Microsoft.Network/privateDnsZones@2024-06-01"
  parent_id = azapi_resource.group.id
  name      = local.zone_name
  location  = "global"
  tags      = var.tags
}

resource "azapi_resource" "dns_link" {
  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  parent_id = local.zone_id
  name      = var.names.network
  location  = "global"
  tags      = var.tags
  body = {
    properties = {
      registrationEnabled = false
      virtualNetwork      = { id = azapi_resource.virtual_network.id }
    }
  }
}

resource "azapi_resource" "endpoint" {
  type      = "Microsoft.Network/privateEndpoints@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = trimsuffix(substr("pep-${var.names.openai}", 0, 64), "-")
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      customNetworkInterfaceName = "nic-${var.names.openai}"
      subnet                     = { id = "${azapi_resource.virtual_network.id}/subnets/snet-endpoints" }
      privateLinkServiceConnections = [
        {
          name = "account"
          properties = {
            privateLinkServiceId = azapi_resource.account.id
            groupIds             = ["account"]
          }
        },
      ]
    }
  }
  locks = [azapi_resource.account.id]

  depends_on = [azapi_resource.deployment]
}

resource "azapi_resource" "endpoint_dns" {
  type      = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01"
  parent_id = azapi_resource.endpoint.id
  name      = "default"
  body = {
    properties = {
      privateDnsZoneConfigs = [
        {
          name       = "openai"
          properties = { privateDnsZoneId = local.zone_id }
        },
      ]
    }
  }
}

resource "azapi_resource" "diagnostics" {
  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = azapi_resource.account.id
  name      = "to-log-workspace"
  body = {
    properties = {
      workspaceId = azapi_resource.log_workspace.id
      logs        = [{ categoryGroup = "allLogs", enabled = true }]
      metrics     = [{ category = "AllMetrics", enabled = true }]
    }
  }
}
