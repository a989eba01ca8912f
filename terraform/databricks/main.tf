# A premium Databricks workspace in a virtual network of its own: its nodes have no public address and leave by a NAT gateway; people reach it by
# a private endpoint. Pool, policy and cluster are made inside it afterwards, by tools/clients/databricks.py.

locals {
  zone_name    = "privatelink.azuredatabricks.net"
  zone_id      = var.dns_zones_id == "" ? azapi_resource.dns_zone[0].id : "${var.dns_zones_id}/providers/Microsoft.Network/privateDnsZones/${local.zone_name}"
  subscription = "/subscriptions/${var.subscription_id}"
  network      = azapi_resource.virtual_network.id
  # Of the workspace's private link: for its web pages and its interface, and for logging in to them. All workspaces of a region that share
  # one zone of names share one for logging in, so where the zone is the site's, that one is, too.
  links = merge(
    { ui = "databricks_ui_api" },
    { for name, value in { auth = "browser_authentication" } : name => value if var.dns_zones_id == "" },
  )
  # Databricks writes these rules into the security group of its subnets, and Azure takes no group without them: they stand here as it
  # writes them, so that a group that is put again keeps them. None is for the control plane, which is reached by private link.
  own_rules = [
    { name = "worker-to-worker-inbound", priority = 100, direction = "Inbound", protocol = "*", to = "VirtualNetwork", port = "*", why = "Required for worker nodes communication within a cluster." },
    { name = "worker-to-sql", priority = 101, direction = "Outbound", protocol = "Tcp", to = "Sql", port = "3306", why = "Required for workers communication with Azure SQL services." },
    { name = "worker-to-storage", priority = 102, direction = "Outbound", protocol = "Tcp", to = "Storage", port = "443", why = "Required for workers communication with Azure Storage services." },
    { name = "worker-to-worker-outbound", priority = 103, direction = "Outbound", protocol = "*", to = "VirtualNetwork", port = "*", why = "Required for worker nodes communication within a cluster." },
    { name = "worker-to-eventhub", priority = 104, direction = "Outbound", protocol = "Tcp", to = "EventHub", port = "9093", why = "Required for worker communication with Azure Eventhub services." },
  ]
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
      securityRules = concat(
        [
          for rule in local.own_rules : {
            name = "Microsoft.Databricks-workspaces_UseOnly_databricks-${rule.name}"
            properties = {
              description              = rule.why
              priority                 = rule.priority
              direction                = rule.direction
              access                   = "Allow"
              protocol                 = rule.protocol
              sourceAddressPrefix      = "VirtualNetwork"
              sourcePortRange          = "*"
              destinationAddressPrefix = rule.to
              destinationPortRange     = rule.port
            }
          }
        ],
        [
          {
            name = "deny-internet-inbound"
            properties = {
              description              = "Nothing from the internet reaches a node."
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
        ],
      )
    }
  }
}

resource "azapi_resource" "public_ip" {
  type      = "Microsoft.Network/publicIPAddresses@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.public_ip
  location  = var.location
  tags      = var.tags
  body = {
    sku = { name = "Standard" }
    properties = {
      publicIPAllocationMethod = "Static"
      publicIPAddressVersion   = "IPv4"
    }
  }
  response_export_values = ["properties.ipAddress"]
}

resource "azapi_resource" "nat_gateway" {
  type      = "Microsoft.Network/natGateways@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.nat_gateway
  location  = var.location
  tags      = var.tags
  body = {
    sku = { name = "Standard" }
    properties = {
      idleTimeoutInMinutes = 10
      publicIpAddresses    = [{ id = azapi_resource.public_ip.id }]
    }
  }
}

# The subnets stand in the network's own body: a network put without them would lose them.
resource "azapi_resource" "virtual_network" {
  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.network
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      addressSpace = { addressPrefixes = [var.address_space] }
      subnets = concat(
        [
          for name, prefix in { snet-host = var.subnets.host, snet-container = var.subnets.container } : {
            name                          = name
            properties = {
              addressPrefix         = prefix
              defaultOutboundAccess = false
              natGateway            = { id = azapi_resource.nat_gateway.id }
              networkSecurityGroup  = { id = azapi_resource.security_group.id }
              # Bulk data goes to storage of the region by this way, which costs nothing a gigabyte, and not through the gateway.
              serviceEndpoints = [{ service = "Microsoft.Storage" }]
              delegations = [
                {
                  name       = "databricks"
                  properties = { serviceName = "Microsoft.Databricks/workspaces" }
                },
              ]
            }
          }
        ],
        [
          {
            name = "snet-endpoints"
            properties = {
              addressPrefix                  = var.subnets.endpoints
              defaultOutboundAccess          = false
              networkSecurityGroup           = { id = azapi_resource.security_group.id }
              privateEndpointNetworkPolicies = "Enabled"
            }
          },
        ],
      )
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

# The identity by which Unity Catalog reaches storage that somebody grants it.
resource "azapi_resource" "access_connector" {
  type      = "Microsoft.Databricks/accessConnectors@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.access_connector
  location  = var.location
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }
}

resource "azapi_resource" "workspace" {
  type      = "Microsoft.Databricks/workspaces@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.databricks
  location  = var.location
  tags      = var.tags
  body = {
    sku = { name = "premium" }
    properties = {
      managedResourceGroupId = "${local.subscription}/resourceGroups/${var.managed_resource_group_name}"
      publicNetworkAccess    = "Disabled"
      requiredNsgRules       = "NoAzureDatabricksRules"
      parameters = {
        customVirtualNetworkId          = { value = local.network }
        customPublicSubnetName          = { value = "snet-host" }
        customPrivateSubnetName         = { value = "snet-container" }
        enableNoPublicIp                = { value = true }
        requireInfrastructureEncryption = { value = true }
      }
    }
  }
  response_export_values = ["properties.workspaceUrl", "properties.workspaceId"]

  timeouts {
    create = "60m"
    delete = "60m"
  }
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
      virtualNetwork      = { id = local.network }
    }
  }
}

resource "azapi_resource" "endpoint" {
  for_each = local.links

  type      = "Microsoft.Network/privateEndpoints@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = trimsuffix(substr("pep-${each.key}-${var.names.databricks}", 0, 64), "-")
  location  = var.location
  tags      = var.tags
  body = {
    properties = {
      customNetworkInterfaceName = "nic-${each.key}-${var.names.databricks}"
      subnet                     = { id = "${local.network}/subnets/snet-endpoints" }
      privateLinkServiceConnections = [
        {
          name = each.key
          properties = {
            privateLinkServiceId = azapi_resource.workspace.id
            groupIds             = [each.value]
          }
        },
      ]
    }
  }
  # A workspace takes one change at a time.
  locks = [azapi_resource.workspace.id]
}

resource "azapi_resource" "endpoint_dns" {
  for_each = local.links

  type      = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01"
  parent_id = azapi_resource.endpoint[each.key].id
  name      = "default"
  body = {
    properties = {
      privateDnsZoneConfigs = [
        {
          name       = "databricks"
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
  parent_id = azapi_resource.workspace.id
  name      = "to-log-workspace"
  body = {
    properties = {
      workspaceId = azapi_resource.log_workspace.id
      logs        = [{ categoryGroup = "allLogs", enabled = true }]
    }
  }
}
