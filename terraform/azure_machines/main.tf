# Virtual machines in a network of their own: no public address, keys and no passwords, a way out by a NAT gateway, and their metrics in a workspace.

locals {
  user   = "berth"
  subnet = "${azapi_resource.network.id}/subnets/snet-machines"
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
}

resource "azapi_resource" "nsg" {
  type      = "Microsoft.Network/networkSecurityGroups@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.nsg
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      securityRules = concat(
        [
          for number, one in var.ports : {
            name = "allow-${number + 1}-${one.protocol}-${one.port}"
            properties = {
              priority                 = 100 + number
              direction                = "Inbound"
              access                   = "Allow"
              protocol                 = one.protocol == "udp" ? "Udp" : "Tcp"
              sourceAddressPrefix      = one.source
              sourcePortRange          = "*"
              destinationAddressPrefix = "VirtualNetwork"
              destinationPortRange     = one.port
            }
          }
        ],
        [
          {
            name = "deny-inbound"
            properties = {
              description              = "Nothing else reaches a machine, from wherever it comes."
              priority                 = 4000
              direction                = "Inbound"
              access                   = "Deny"
              protocol                 = "*"
              sourceAddressPrefix      = "*"
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

# Azure gives a new network no way out by itself. Updates come this way, and the agent's answers go.
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
          name = "snet-machines"
          properties = {
            addressPrefix         = var.address_space
            defaultOutboundAccess = false
            natGateway            = { id = azapi_resource.nat_gateway.id }
            networkSecurityGroup  = { id = azapi_resource.nsg.id }
          }
        },
      ]
    }
  }
}

# The site's hub, from which the machines are reached. A peering has two sides.
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
      allowGatewayTransit       = false
      useRemoteGateways         = false
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

# Others that these machines use: by the hub alone the two would not reach each other.
resource "azapi_resource" "neighbour" {
  for_each = merge([
    for id in var.neighbour_ids : {
      "there-${basename(id)}" = { from = azapi_resource.network.id, to = id }
      "back-${basename(id)}"  = { from = id, to = azapi_resource.network.id }
    }
  ]...)

  type      = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2024-05-01"
  parent_id = each.value.from
  name      = "peer-${split("/", each.value.to)[8]}"

  body = {
    properties = {
      remoteVirtualNetwork      = { id = each.value.to }
      allowVirtualNetworkAccess = true
      allowForwardedTraffic     = false
      allowGatewayTransit       = false
      useRemoteGateways         = false
    }
  }

  # A network that is at another change takes no peering: ours are made one by one, and those of others are waited for.
  locks = [each.value.from, each.value.to]
  retry = {
    error_message_regex  = ["ReferencedResourceNotProvisioned", "AnotherOperationInProgress"]
    interval_seconds     = 15
    max_interval_seconds = 60
  }
}

resource "azapi_resource" "interface" {
  for_each = var.machines

  type      = "Microsoft.Network/networkInterfaces@2025-07-01"
  parent_id = azapi_resource.group.id
  name      = "nic-${each.key}"
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      enableAcceleratedNetworking = true
      ipConfigurations = [
        {
          name = "internal"
          properties = {
            privateIPAllocationMethod = "Dynamic"
            privateIPAddressVersion   = "IPv4"
            subnet                    = { id = local.subnet }
          }
        },
      ]
    }
  }

  response_export_values = ["properties.ipConfigurations"]
}

resource "azapi_resource" "machine" {
  for_each = var.machines

  type      = "Microsoft.Compute/virtualMachines@2026-03-01"
  parent_id = azapi_resource.group.id
  name      = each.key
  location  = var.location
  tags      = var.tags

  body = merge(
    {
      properties = {
        hardwareProfile = { vmSize = var.size }
        # Only what is signed starts, and what started is measured.
        securityProfile = {
          securityType = "TrustedLaunch"
          uefiSettings = { secureBootEnabled = true, vTpmEnabled = true }
        }
        storageProfile = merge(
          {
            imageReference = var.marketplace_image
            osDisk = {
              createOption = "FromImage"
              caching      = "ReadWrite"
              diskSizeGB   = var.disk_gib
              managedDisk  = { storageAccountType = var.disk_type }
              # It goes with its machine.
              deleteOption = "Delete"
            }
          },
          length(var.data_disks_gib) == 0 ? {} : {
            dataDisks = [
              for number, disk_gib in var.data_disks_gib : {
                lun          = number
                createOption = "Empty"
                # Azure's own default; disks of 4 TiB and more take no other.
                caching      = "None"
                diskSizeGB   = disk_gib
                managedDisk  = { storageAccountType = var.disk_type }
                deleteOption = "Delete"
              }
            ]
          },
        )
        osProfile = {
          computerName  = each.key
          adminUsername = local.user
          linuxConfiguration = {
            disablePasswordAuthentication = true
            provisionVMAgent              = true
            ssh                           = { publicKeys = [for key in var.public_keys : { path = "/home/${local.user}/.ssh/authorized_keys", keyData = key }] }
            # The image's own unattended upgrades bring its patches; what is missing is asked by whoever wants to know.
            patchSettings = { patchMode = "ImageDefault", assessmentMode = "ImageDefault" }
          }
        }
        networkProfile = {
          networkInterfaces = [{ id = azapi_resource.interface[each.key].id, properties = { primary = true } }]
        }
        # Without an account of one's own, Azure keeps the log of the start.
        diagnosticsProfile = { bootDiagnostics = { enabled = true } }
      }
    },
    each.value.zone == "" ? {} : { zones = [each.value.zone] },
  )

  timeouts {
    create = "30m"
    update = "30m"
    delete = "30m"
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
  for_each = var.machines
  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = azapi_resource.machine[each.key].id
  name      = "to-log-analytics"

  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      metrics     = [{ category = "AllMetrics", enabled = true }]
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
      groupShortName = "machines"
      emailReceivers = [{ name = "team", emailAddress = var.alert_email, useCommonAlertSchema = true }]
    }
  }
}

# What Azure itself sees of a machine; what runs on it is for whoever watches that.
resource "azapi_resource" "alert" {
  for_each = merge([
    for name in keys(var.machines) : {
      "away-${name}" = { machine = name, metric = "VmAvailabilityMetric", operator = "LessThan", threshold = 1, severity = 1 }
      "cpu-${name}"  = { machine = name, metric = "Percentage CPU", operator = "GreaterThan", threshold = 95, severity = 2 }
    }
  ]...)

  # Azure answers ids of what is watched, and names of tags, in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  parent_id = azapi_resource.group.id
  name      = "alert-${each.key}"
  location  = "global"
  tags      = { for name, value in var.tags : lower(name) => value }

  body = {
    properties = {
      description         = "${each.value.metric} of ${each.value.machine}"
      enabled             = true
      severity            = each.value.severity
      evaluationFrequency = "PT5M"
      windowSize          = "PT15M"
      autoMitigate        = true
      scopes              = [azapi_resource.machine[each.value.machine].id]
      actions             = [for group in azapi_resource.action_group : { actionGroupId = group.id }]
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [{
          name            = "one"
          criterionType   = "StaticThresholdCriterion"
          metricNamespace = "Microsoft.Compute/virtualMachines"
          metricName      = each.value.metric
          operator        = each.value.operator
          threshold       = each.value.threshold
          timeAggregation = "Average"
        }]
      }
    }
  }
}
