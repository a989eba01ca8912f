# A Kubernetes cluster that Azure runs (AKS): its nodes in a network of their own with a way out by a NAT gateway, logins of Entra ID alone, and an
# API that is private, or open to named addresses. Nothing is made inside it.

locals {
  private = length(var.api_ranges) == 0
  subnet  = "${azapi_resource.network.id}/subnets/snet-nodes"
  # Azure's built-in roles; the ids are the same in every tenant.
  role = {
    network_contributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    cluster_user        = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    # Its name says more than it gives: without local accounts there is no admin's credential, and the run command is left.
    run_command      = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"
    kubernetes_admin = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    reader           = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
  }
  role_id  = { for name, id in local.role : name => "/subscriptions/${var.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/${id}" }
  group_id = "/subscriptions/${var.subscription_id}/resourceGroups/${var.names.resource_group}"
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.names.resource_group
  location  = var.location
  tags      = var.tags
}

# What a service of type LoadBalancer opens, AKS opens in a security group of its own; here nothing of the internet comes to a node.
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
      ]
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

  response_export_values = { address = "properties.ipAddress" }
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
          name = "snet-nodes"
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

resource "azapi_resource" "identity" {
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  parent_id = azapi_resource.group.id
  name      = var.names.identity
  location  = var.location
  tags      = var.tags
  body      = {}

  response_export_values = { principal_id = "properties.principalId" }
}

# The cluster joins its nodes to the subnet, makes load balancers there, and reads the network and its gateway.
resource "azapi_resource" "cluster_on_network" {
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = azapi_resource.network.id
  name      = uuidv5("url", "${local.group_id}/${var.names.network}/${var.names.identity}/network")

  body = {
    properties = {
      principalId      = azapi_resource.identity.output.principal_id
      principalType    = "ServicePrincipal"
      roleDefinitionId = local.role_id.network_contributor
    }
  }
}

resource "azapi_resource" "cluster" {
  type      = "Microsoft.ContainerService/managedClusters@2025-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.cluster
  location  = var.location
  tags      = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azapi_resource.identity.id]
  }

  body = {
    # The tier with an agreed availability; the free one is for trying out.
    sku = { name = "Base", tier = "Standard" }
    properties = {
      # A minor release: Azure brings its patches by itself.
      kubernetesVersion    = var.kubernetes_version
      dnsPrefix            = trim(substr(var.names.cluster, 0, 54), "-")
      enableRBAC           = true
      disableLocalAccounts = true
      # No administrators besides: who may do what is told by Azure's roles alone.
      aadProfile = { managed = true, enableAzureRBAC = true }
      apiServerAccessProfile = merge(
        { enablePrivateCluster = local.private, disableRunCommand = false },
        # The nodes reach their own API through the NAT gateway, so its address is always among them.
        { for name, value in { authorizedIPRanges = concat(var.api_ranges, ["${azapi_resource.public_ip.output.address}/32"]) } : name => value if !local.private },
      )
      oidcIssuerProfile = { enabled = true }
      securityProfile = {
        workloadIdentity = { enabled = true }
        imageCleaner     = { enabled = true, intervalHours = 168 }
      }
      # When that may be stands in the maintenance windows below.
      autoUpgradeProfile = { upgradeChannel = "patch", nodeOSUpgradeChannel = "NodeImage" }
      networkProfile = {
        networkPlugin     = "azure"
        networkPluginMode = "overlay"
        networkPolicy     = "cilium"
        networkDataplane  = "cilium"
        loadBalancerSku   = "standard"
        outboundType      = "userAssignedNATGateway"
        podCidr           = var.pod_cidr
        serviceCidr       = var.service_cidr
        dnsServiceIP      = cidrhost(var.service_cidr, 10)
      }
      addonProfiles = {
        azurepolicy = { enabled = true }
        azureKeyvaultSecretsProvider = {
          enabled = true
          config  = { enableSecretRotation = "true", rotationPollInterval = "2m" }
        }
        omsagent = {
          enabled = true
          config  = { logAnalyticsWorkspaceResourceID = azapi_resource.logs.id, useAADAuth = "true" }
        }
      }
      # All pools stand here, so that the cluster as it is read back is the cluster as it is written.
      agentPoolProfiles = [for pool in var.pools : merge(
        {
          name                = pool.name
          mode                = pool.mode
          vmSize              = pool.vm_size
          type                = "VirtualMachineScaleSets"
          osType              = "Linux"
          osSKU               = "Ubuntu"
          osDiskType          = "Managed"
          osDiskSizeGB        = pool.disk_gib
          maxPods             = 110
          enableNodePublicIP  = false
          enableAutoScaling   = coalesce(pool.least, pool.count) < pool.count
          vnetSubnetID        = local.subnet
          orchestratorVersion = var.kubernetes_version
          nodeTaints          = pool.only_system ? ["CriticalAddonsOnly=true:NoSchedule"] : []
          # One node more while nodes are replaced, so that what runs has a place to go.
          upgradeSettings = { maxSurge = "1" }
        },
        { for name, value in { count = pool.count } : name => value if coalesce(pool.least, pool.count) == pool.count },
        { for name, value in { minCount = pool.least, maxCount = pool.count } : name => value if coalesce(pool.least, pool.count) < pool.count },
        { for name, value in { availabilityZones = pool.zones } : name => value if length(pool.zones) > 0 },
      )]
    }
  }

  response_export_values = {
    version    = "properties.currentKubernetesVersion"
    node_group = "properties.nodeResourceGroup"
  }

  # A role that was just assigned takes minutes to come through.
  retry = {
    error_message_regex  = ["MissingPermission"]
    interval_seconds     = 15
    max_interval_seconds = 60
  }

  timeouts {
    create = "60m"
    update = "120m"
    delete = "60m"
  }

  depends_on = [azapi_resource.cluster_on_network]
}

# Patches of Kubernetes and images of nodes come in these hours of a weekend, and at no other time.
resource "azapi_resource" "maintenance" {
  for_each = { aksManagedAutoUpgradeSchedule = "Sunday", aksManagedNodeOSUpgradeSchedule = "Saturday" }

  type      = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2025-05-01"
  parent_id = azapi_resource.cluster.id
  name      = each.key

  body = {
    properties = {
      maintenanceWindow = {
        schedule      = { weekly = { intervalWeeks = 1, dayOfWeek = each.value } }
        durationHours = 6
        startTime     = "01:00"
        utcOffset     = "+00:00"
      }
    }
  }

  # A cluster takes one change at a time.
  locks = [azapi_resource.cluster.id]
}

resource "azapi_resource" "team" {
  # None of the first three may read what a run command answered, nor the logs: a reader may.
  for_each = var.administrators == "" ? {} : { cluster = "cluster_user", run_command = "run_command", kubernetes = "kubernetes_admin", group = "reader" }

  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = each.key == "group" ? azapi_resource.group.id : azapi_resource.cluster.id
  name      = uuidv5("url", "${local.group_id}/${var.names.cluster}/team/${each.key}")

  body = {
    properties = {
      principalId      = var.administrators
      principalType    = "Group"
      roleDefinitionId = local.role_id[each.value]
    }
  }
}
