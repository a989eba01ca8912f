# Private endpoints and their names, when the storage path is private.

locals {
  endpoint = local.private ? {
    dfs   = { target = azapi_resource.storage.id, part = "dfs", zone = "privatelink.dfs.core.windows.net" }
    blob  = { target = azapi_resource.storage.id, part = "blob", zone = "privatelink.blob.core.windows.net" }
    vault = { target = azapi_resource.vault.id, part = "vault", zone = "privatelink.vaultcore.azure.net" }
  } : {}
  # The site's own zones where it has them: a network is linked to no two of one name.
  zone_id = {
    for key, one in local.endpoint :
    key => var.dns_zones_id == "" ? azapi_resource.zone[key].id : "${var.dns_zones_id}/providers/Microsoft.Network/privateDnsZones/${one.zone}"
  }
}

resource "azapi_resource" "zone" {
  for_each = { for key, one in local.endpoint : key => one if var.dns_zones_id == "" }

  type      = "Microsoft.Network/privateDnsZones@2024-06-01"
  parent_id = azapi_resource.group.id
  name      = each.value.zone
  location  = "global"
  tags      = var.tags
  body      = { properties = {} }
}

resource "azapi_resource" "zone_link" {
  for_each = local.endpoint

  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  parent_id = local.zone_id[each.key]
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

resource "azapi_resource" "endpoint" {
  for_each = local.endpoint

  type      = "Microsoft.Network/privateEndpoints@2025-01-01"
  parent_id = azapi_resource.group.id
  name      = trimsuffix(substr("pep-${each.key}-${var.names.network}", 0, 64), "-")
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      subnet = { id = local.endpoints_subnet_id }
      privateLinkServiceConnections = [{
        name = each.key
        properties = {
          privateLinkServiceId = each.value.target
          groupIds             = [each.value.part]
        }
      }]
    }
  }

  # A storage account takes one connection at a time.
  locks = [each.value.target]
}

resource "azapi_resource" "zone_group" {
  for_each = local.endpoint

  type      = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-01-01"
  parent_id = azapi_resource.endpoint[each.key].id
  name      = "default"

  body = {
    properties = {
      privateDnsZoneConfigs = [{
        name       = each.key
        properties = { privateDnsZoneId = local.zone_id[each.key] }
      }]
    }
  }

  depends_on = [azapi_resource.zone_link]
}
