# The network: nodes leave through a NAT gateway with one address of their own; nothing comes in from the internet.

locals {
  group_id  = "/subscriptions/${var.subscription_id}/resourceGroups/${var.names.resource_group}"
  private   = var.storage_path == "private_endpoint"
  endpoints = local.private ? [] : [{ service = "Microsoft.Storage" }, { service = "Microsoft.KeyVault" }]

  # Bulk data never takes the NAT gateway: both paths to the storage account stay inside Azure's network.
  deny_internet = {
    name = "deny-internet-inbound"
    properties = {
      priority                 = 4000
      direction                = "Inbound"
      access                   = "Deny"
      protocol                 = "*"
      sourceAddressPrefix      = "Internet"
      sourcePortRange          = "*"
      destinationAddressPrefix = "*"
      destinationPortRange     = "*"
    }
  }
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2023-07-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
  body      = {}
}

resource "azapi_resource" "nsg" {
  for_each = { nodes = var.names.nodes_nsg, endpoints = var.names.endpoints_nsg }

  type      = "Microsoft.Network/networkSecurityGroups@2025-01-01"
  parent_id = azapi_resource.group.id
  name      = each.value
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      securityRules = [local.deny_internet]
    }
  }
}

resource "azapi_resource" "public_ip" {
  type      = "Microsoft.Network/publicIPAddresses@2025-01-01"
  parent_id = azapi_resource.group.id
  name      = var.names.public_ip
  location  = var.location
  tags      = var.tags

  body = {
    sku = { name = "Standard", tier = "Regional" }
    properties = {
      publicIPAllocationMethod = "Static"
      publicIPAddressVersion   = "IPv4"
    }
  }

  response_export_values = { address = "properties.ipAddress" }
}

resource "azapi_resource" "nat_gateway" {
  type      = "Microsoft.Network/natGateways@2025-01-01"
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

resource "azapi_resource" "network" {
  type      = "Microsoft.Network/virtualNetworks@2025-01-01"
  parent_id = azapi_resource.group.id
  name      = var.names.network
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      addressSpace = { addressPrefixes = [var.address_space] }
      # All subnets stand here: a network that is written without them might lose them.
      subnets = [
        {
          name = "snet-nodes"
          properties = {
            addressPrefix         = cidrsubnet(var.address_space, 2, 0)
            defaultOutboundAccess = false
            natGateway            = { id = azapi_resource.nat_gateway.id }
            networkSecurityGroup  = { id = azapi_resource.nsg["nodes"].id }
            serviceEndpoints      = local.endpoints
          }
        },
        {
          name = "snet-endpoints"
          properties = {
            addressPrefix                  = cidrsubnet(var.address_space, 4, 4)
            defaultOutboundAccess          = false
            networkSecurityGroup           = { id = azapi_resource.nsg["endpoints"].id }
            privateEndpointNetworkPolicies = "Enabled"
          }
        },
      ]
    }
  }
}

locals {
  nodes_subnet_id     = "${azapi_resource.network.id}/subnets/snet-nodes"
  endpoints_subnet_id = "${azapi_resource.network.id}/subnets/snet-endpoints"
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
