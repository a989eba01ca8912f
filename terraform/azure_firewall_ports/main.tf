# Rules of a network security group that let something in. The group exists, or is made here with a resource group of its own.

locals {
  makes          = var.security_group_id == ""
  security_group = local.makes ? azapi_resource.security_group[0].id : var.security_group_id
}

resource "azapi_resource" "group" {
  count = local.makes ? 1 : 0

  type      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
}

# No rules in the body: those below are resources of their own, as in a group that others have rules in.
resource "azapi_resource" "security_group" {
  count = local.makes ? 1 : 0

  type      = "Microsoft.Network/networkSecurityGroups@2024-05-01"
  parent_id = azapi_resource.group[0].id
  name      = var.names.nsg
  location  = var.location
  tags      = var.tags

  lifecycle {
    # A group that is put again loses the rules that its body does not speak of.
    ignore_changes = [tags]
  }
}

resource "azapi_resource" "rule" {
  for_each = { for rule in var.rules : rule.name => rule }

  type      = "Microsoft.Network/networkSecurityGroups/securityRules@2024-05-01"
  parent_id = local.security_group
  name      = each.key
  body = {
    properties = merge(
      {
        description              = each.value.description
        priority                 = each.value.priority
        direction                = "Inbound"
        access                   = "Allow"
        protocol                 = each.value.protocol
        sourcePortRange          = "*"
        destinationAddressPrefix = each.value.destination
        destinationPortRanges    = each.value.ports
      },
      # A service tag such as VirtualNetwork may only stand alone.
      { for name, value in { sourceAddressPrefix = each.value.sources[0] } : name => value if length(each.value.sources) == 1 },
      { for name, value in { sourceAddressPrefixes = each.value.sources } : name => value if length(each.value.sources) > 1 },
    )
  }
  # A security group takes one change at a time.
  locks = [local.security_group]
}
