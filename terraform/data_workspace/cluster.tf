# Kubernetes: identities only, a private API or one for named addresses, Cilium on an overlay, workload identity for jobs.
# What is inside it (namespace, accounts, device plugin) is applied by the configure step, through Azure's run command.

resource "azapi_resource" "cluster_identity" {
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  parent_id = azapi_resource.group.id
  name      = var.names.cluster_identity
  location  = var.location
  tags      = var.tags
  body      = {}

  response_export_values = { principal_id = "properties.principalId", client_id = "properties.clientId" }
}

resource "azapi_resource" "cluster" {
  type      = "Microsoft.ContainerService/managedClusters@2025-05-01"
  parent_id = azapi_resource.group.id
  name      = var.names.cluster
  location  = var.location
  tags      = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azapi_resource.cluster_identity.id]
  }

  body = {
    sku = { name = "Base", tier = "Standard" }
    properties = merge({
      dnsPrefix            = trim(substr(var.names.cluster, 0, 54), "-")
      enableRBAC           = true
      disableLocalAccounts = true
      # No administrators besides: who may do what is told by Azure's roles alone.
      aadProfile = { managed = true, enableAzureRBAC = true }
      apiServerAccessProfile = merge(
        # The run command is the way in that needs no network; Azure's roles guard it, and those of the cluster what it may do.
        { enablePrivateCluster = length(var.api_ranges) == 0, disableRunCommand = false },
        # The nodes reach their own API through the NAT gateway, so its address is always among them.
        { for name, value in { authorizedIPRanges = concat(var.api_ranges, ["${azapi_resource.public_ip.output.address}/32"]) } : name => value if length(var.api_ranges) > 0 },
      )
      oidcIssuerProfile = { enabled = true }
      securityProfile = {
        workloadIdentity = { enabled = true }
        imageCleaner     = { enabled = true, intervalHours = 168 }
      }
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
          name                   = pool.name
          mode                   = pool.mode
          vmSize                 = pool.vm_size
          type                   = "VirtualMachineScaleSets"
          osType                 = "Linux"
          osSKU                  = "Ubuntu"
          osDiskType             = pool.os_disk
          osDiskSizeGB           = pool.disk_gib
          maxPods                = 60
          enableNodePublicIP     = false
          enableEncryptionAtHost = false
          vnetSubnetID           = local.nodes_subnet_id
          nodeLabels             = merge(pool.labels, pool.spot ? { "kubernetes.azure.com/scalesetpriority" = "spot" } : {})
          nodeTaints = concat(
            pool.mode == "System" ? ["CriticalAddonsOnly=true:NoSchedule"] : [],
            pool.spot ? ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"] : [],
            pool.gpu ? ["sku=gpu:NoSchedule"] : [],
          )
          enableAutoScaling = pool.min_count < pool.max_count
        },
        { for name, value in { minCount = pool.min_count, maxCount = pool.max_count } : name => value if pool.min_count < pool.max_count },
        { for name, value in { count = pool.max_count } : name => value if pool.min_count == pool.max_count },
        { for name, value in { scaleSetPriority = "Spot", scaleSetEvictionPolicy = "Delete", spotMaxPrice = -1 } : name => value if pool.spot },
        { for name, value in { gpuProfile = { driver = "Install" } } : name => value if pool.gpu },
        { for name, value in { availabilityZones = pool.zones } : name => value if length(pool.zones) > 0 },
      )]
      },
      # A minor release: Azure brings its patches by itself.
      { for name, value in { kubernetesVersion = var.kubernetes_version } : name => value if value != "" },
    )
  }

  response_export_values = {
    issuer     = "properties.oidcIssuerProfile.issuerURL"
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
    update = "60m"
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
