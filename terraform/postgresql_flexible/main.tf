# A PostgreSQL flexible server in a network of its own: no public door, no password, logs, and an alert before its storage is full.

locals {
  port = "5432"
}

data "azapi_client_config" "current" {}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
}

# What a server needs of its subnet's traffic: itself on 5432, Azure Storage for its log, Entra ID for logins. The last two are outbound,
# which nothing here forbids.
resource "azapi_resource" "nsg" {
  type      = "Microsoft.Network/networkSecurityGroups@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.nsg
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      securityRules = [
        {
          name = "allow-postgresql"
          properties = {
            description              = "From the network, and from those that are peered with it."
            priority                 = 100
            direction                = "Inbound"
            access                   = "Allow"
            protocol                 = "Tcp"
            sourceAddressPrefix      = "VirtualNetwork"
            sourcePortRange          = "*"
            destinationAddressPrefix = "VirtualNetwork"
            destinationPortRange     = local.port
          }
        },
        {
          name = "deny-internet-inbound"
          properties = {
            description              = "Nothing from the internet reaches the server."
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
resource "azapi_resource" "network" {
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
          name = "snet-postgresql"
          properties = {
            addressPrefix        = var.address_space
            networkSecurityGroup = { id = azapi_resource.nsg.id }
            # What leaves a delegated subnet is the service's affair, so nothing is said of its way out.
            # The standby's log goes to Azure Storage by this way.
            serviceEndpoints = [{ service = "Microsoft.Storage" }]
            delegations = [
              {
                name       = "postgresql"
                properties = { serviceName = "Microsoft.DBforPostgreSQL/flexibleServers" }
              },
            ]
          }
        },
      ]
    }
  }
}

# Its name ends as Azure wants it, and is not the server's own.
resource "azapi_resource" "dns_zone" {
  type      = "Microsoft.Network/privateDnsZones@2024-06-01"
  parent_id = azapi_resource.group.id
  name      = "${var.names.postgresql}.private.postgres.database.azure.com"
  location  = "global"
  tags      = var.tags
}

resource "azapi_resource" "dns_link" {
  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  parent_id = azapi_resource.dns_zone.id
  name      = var.names.network
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      registrationEnabled = false
      virtualNetwork      = { id = azapi_resource.network.id }
    }
  }
}

# The site's hub, from which everything private is reached. A peering has two sides.
resource "azapi_resource" "peering" {
  for_each = var.hub_id == "" ? {} : { there = { from = azapi_resource.network.id, to = var.hub_id }, back = { from = var.hub_id, to = azapi_resource.network.id } }

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
  locks = [azapi_resource.network.id, var.hub_id]
  retry = {
    error_message_regex  = ["ReferencedResourceNotProvisioned", "AnotherOperationInProgress"]
    interval_seconds     = 15
    max_interval_seconds = 60
  }
}

# The zone is this server's own, so the hub is to know it, too.
resource "azapi_resource" "dns_link_hub" {
  count = var.hub_id == "" ? 0 : 1

  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  parent_id = azapi_resource.dns_zone.id
  name      = "hub-of-${var.names.network}"
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      registrationEnabled = false
      virtualNetwork      = { id = var.hub_id }
    }
  }
}

resource "azapi_resource" "server" {
  type      = "Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01"
  parent_id = azapi_resource.group.id
  name      = var.names.postgresql
  location  = var.location
  tags      = var.tags

  body = {
    sku = {
      name = var.sku.name
      tier = var.sku.tier
    }
    properties = {
      version = var.engine_version
      # It grows when somebody asks for it, so that a plan says what there is.
      storage = {
        storageSizeGB = var.storage_gib
        autoGrow      = "Disabled"
      }
      # Without passwords there is no secret, here or in a state.
      authConfig = {
        activeDirectoryAuth = "Enabled"
        passwordAuth        = "Disabled"
        tenantId            = data.azapi_client_config.current.tenant_id
      }
      network = {
        delegatedSubnetResourceId   = "${azapi_resource.network.id}/subnets/snet-postgresql"
        privateDnsZoneArmResourceId = azapi_resource.dns_zone.id
        publicNetworkAccess         = "Disabled"
      }
      highAvailability = { mode = var.standby }
      backup = {
        backupRetentionDays = var.backup_days
        geoRedundantBackup  = "Disabled"
      }
    }
  }

  response_export_values = ["properties.fullyQualifiedDomainName"]

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }

  depends_on = [azapi_resource.dns_link]
}

resource "azapi_resource" "database" {
  for_each = toset(var.databases)

  type      = "Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01"
  parent_id = azapi_resource.server.id
  name      = each.value

  body = {
    properties = {
      charset   = "UTF8"
      collation = "en_US.utf8"
    }
  }

  # A server takes one change at a time.
  locks = [azapi_resource.server.id]
}

# Settings come with the server, so they are changed, not made.
resource "azapi_update_resource" "setting" {
  for_each = var.settings

  type      = "Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01"
  parent_id = azapi_resource.server.id
  name      = each.key

  body = {
    properties = {
      value  = each.value
      source = "user-override"
    }
  }

  locks = [azapi_resource.server.id]

  depends_on = [azapi_resource.database]
}

resource "azapi_resource" "administrators" {
  count = var.administrators == "" ? 0 : 1

  type      = "Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01"
  parent_id = azapi_resource.server.id
  name      = var.administrators

  body = {
    properties = {
      principalType = "Group"
      principalName = var.administrators
      tenantId      = data.azapi_client_config.current.tenant_id
    }
  }

  locks = [azapi_resource.server.id]

  depends_on = [azapi_update_resource.setting]
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
  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = azapi_resource.server.id
  name      = "to-log-analytics"

  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      logs        = [{ categoryGroup = "allLogs", enabled = true }]
      metrics     = [{ category = "AllMetrics", enabled = true }]
    }
  }
}

# At 95 % the server takes no more writes.
resource "azapi_resource" "storage_alert" {
  # Azure answers ids of what is watched, and names of tags, in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  parent_id = azapi_resource.group.id
  name      = "storage-of-${var.names.postgresql}"
  location  = "global"
  tags      = { for name, value in var.tags : lower(name) => value }

  body = {
    properties = {
      description         = "The storage of ${var.names.postgresql} is more than 80 % full."
      severity            = 2
      enabled             = true
      scopes              = [azapi_resource.server.id]
      autoMitigate        = true
      actions             = [for group in azapi_resource.action_group : { actionGroupId = group.id }]
      evaluationFrequency = "PT15M"
      windowSize          = "PT1H"
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [
          {
            name            = "storage"
            criterionType   = "StaticThresholdCriterion"
            metricName      = "storage_percent"
            metricNamespace = "Microsoft.DBforPostgreSQL/flexibleServers"
            operator        = "GreaterThan"
            threshold       = 80
            timeAggregation = "Average"
          },
        ]
      }
    }
  }
}

resource "azapi_resource" "action_group" {
  count = var.alert_email == "" ? 0 : 1

  type      = "Microsoft.Insights/actionGroups@2023-01-01"
  parent_id = azapi_resource.group.id
  name      = var.names.action_group
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      enabled        = true
      groupShortName = "postgresql"
      emailReceivers = [{ name = "team", emailAddress = var.alert_email, useCommonAlertSchema = true }]
    }
  }
}
